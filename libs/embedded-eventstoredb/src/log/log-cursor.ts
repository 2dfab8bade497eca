import { LogRecord, RECORD_FOOTER_SIZE } from './record';
import { LogCorruptError, SEGMENT_HEADER_SIZE } from './segment-file';
import type { SegmentedLog } from './segmented-log';

const CHUNK_BYTES = 128 * 1024;

/**
 * Walks the log in either direction, record by record. A record it returned is good until the next call.
 * Throws LogCorruptError on a record whose checksum does not match.
 */
export class LogCursor {
  private buffer: Buffer;
  private view: Buffer;
  private origin = 0;

  /** `position` is where the next record begins (forwards) or ends (backwards). */
  constructor(
    private readonly log: SegmentedLog,
    public position: number,
    chunkBytes = CHUNK_BYTES,
  ) {
    this.buffer = Buffer.allocUnsafeSlow(chunkBytes);
    this.view = this.buffer.subarray(0, 0);
  }

  /** The record at the position, or null at the end of what is durable. */
  next(): LogRecord | null {
    if (this.position >= this.log.durable) return null;
    const { first, end } = this.log.boundsOf(this.position);
    if (this.position < first) this.position = first;
    if (this.position >= end) return null;
    const record = this.at(this.position);
    if (!record) throw this.damaged();
    this.position = record.next;
    return record;
  }

  /** The record before the position, or null at the start of the log. */
  previous(): LogRecord | null {
    if (this.position <= this.log.start) return null;
    let { first } = this.log.boundsOf(this.position);
    if (this.position <= first) {
      this.position = first - SEGMENT_HEADER_SIZE;
      first = this.log.boundsOf(this.position - 1).first;
    }
    const footer = this.position - RECORD_FOOTER_SIZE;
    if (footer < this.origin || this.position > this.origin + this.view.length) {
      this.fill(Math.max(first, this.position - this.buffer.length));
    }
    const start = this.position - this.view.readUInt32LE(footer - this.origin);
    const record = start >= first ? this.at(start) : null;
    if (record?.next !== this.position) throw this.damaged();
    this.position = start;
    return record;
  }

  /** The record that begins at a position, or null if none does. */
  at(position: number): LogRecord | null {
    const start = position - this.origin;
    if (start >= 0 && start < this.view.length) {
      const record = LogRecord.parse(this.view, start, position);
      if (record) return record;
    }
    this.fill(position);
    const length = LogRecord.lengthAt(this.view, 0, position);
    if (length === null || length > this.log.durable - position) return null;
    if (length > this.view.length) {
      if (length > this.buffer.length) this.buffer = Buffer.allocUnsafeSlow(length);
      this.fill(position);
    }
    return LogRecord.parse(this.view, 0, position);
  }

  private fill(position: number): void {
    this.origin = position;
    this.view = this.buffer.subarray(0, this.log.read(position, this.buffer));
  }

  private damaged(): LogCorruptError {
    return new LogCorruptError(`The event log is damaged at position ${this.position}.`);
  }
}
