import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, rmSync, statSync } from 'node:fs';
import { LogRecord, RECORD_MAGIC } from './record';
import {
  createSegment,
  listSegments,
  LogCorruptError,
  readSegmentHeader,
  SEGMENT_HEADER_SIZE,
  type SegmentFile,
  segmentPath,
} from './segment-file';

/** A part of the log that is one file; `end` is the log position behind its last record. */
export type Segment = { readonly base: number; readonly path: string; end: number };

export type RecoveredLog = Readonly<{ segments: Segment[]; logId: Buffer; writer: number }>;

export type TailScan = Readonly<{
  /** Offset in the segment behind the last complete append. */
  end: number;
  /** Whether bytes behind `end` prove that the broken record at `end` had been acknowledged. */
  corrupt: boolean;
}>;

const MAGIC = Buffer.alloc(4);
MAGIC.writeUInt32LE(RECORD_MAGIC);

/**
 * Finds where the last segment of a log ends. An append that did not reach the disk whole is a torn tail. Each record
 * says how much was on disk before it was written, so a later record that is intact proves an earlier one acknowledged.
 */
export const scanTail = (segment: Buffer, base: number): TailScan => {
  let end = SEGMENT_HEADER_SIZE;
  for (let at = end; ;) {
    const record = LogRecord.parse(segment, at, base + at);
    if (!record) break;
    at += record.length;
    if (record.endsAppend) end = at;
  }
  for (let at = segment.indexOf(MAGIC, end); at !== -1; at = segment.indexOf(MAGIC, at + 1)) {
    const record = LogRecord.parse(segment, at, base + at);
    if (record && record.durableBefore > base + end) return { end, corrupt: true };
  }
  return { end, corrupt: false };
};

const readWhole = (fd: number): Buffer => {
  const bytes = Buffer.allocUnsafe(fstatSync(fd).size);
  for (let got = 0; got < bytes.length;) {
    const count = readSync(fd, bytes, got, bytes.length - got, got);
    if (count === 0) return bytes.subarray(0, got);
    got += count;
  }
  return bytes;
};

const checkSealed = (files: readonly SegmentFile[]): void => {
  files.forEach(({ base, path }, index) => {
    const expected =
      index === 0 ? 0 : (files[index - 1] as SegmentFile).base + statSync(files[index - 1]!.path).size;
    if (base !== expected) throw new LogCorruptError(`The event log lacks the bytes before ${path}.`);
  });
};

/**
 * Opens the segments in a folder, creating the first one where there is none, and finds the end of the last one.
 * Only the last segment is read: the ones before it were on disk before it was created, and every read checks its records.
 * Throws LogCorruptError when a file is missing or a record that had been acknowledged is broken.
 */
export const recoverSegments = (folder: string): RecoveredLog => {
  const files = listSegments(folder);
  checkSealed(files);
  const last = files.at(-1);
  if (!last) {
    const logId = randomBytes(16);
    const writer = createSegment(folder, 0, logId);
    return { segments: [{ base: 0, path: segmentPath(folder, 0), end: SEGMENT_HEADER_SIZE }], logId, writer };
  }
  const writer = openSync(last.path, 'r+');
  const bytes = readWhole(writer);
  const { end, corrupt } = scanTail(bytes, last.base);
  const logId = readSegmentHeader(writer, last.base);
  if (corrupt || (!logId && end > SEGMENT_HEADER_SIZE)) {
    closeSync(writer);
    throw new LogCorruptError(
      `The event log is damaged at position ${last.base + (logId ? end : 0)} (${last.path}).`,
    );
  }
  if (!logId) {
    // The process ended while it created this file: nothing was ever acknowledged from it.
    closeSync(writer);
    rmSync(last.path);
    return recoverSegments(folder);
  }
  const segments = files.map(({ base, path }, index) => ({
    base,
    path,
    end: files[index + 1]?.base ?? base + end,
  }));
  return { segments, logId, writer };
};
