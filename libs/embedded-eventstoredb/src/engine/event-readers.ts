import { LogCursor } from '../log/log-cursor';
import type { LogRecord } from '../log/record';
import type { SegmentedLog } from '../log/segmented-log';
import type { EventStoreEngine } from './event-store.engine';

/** Hands out records one by one; each is good until the next one is asked for. Null when there are no more for now. */
export interface EventReader {
  next(): LogRecord | null;
}

/** The events of one stream upwards from a revision, as far as they can be read at the time of each call. */
export class StreamForwardReader implements EventReader {
  /** The last revision on disk when it was last looked up: for each event would be too often, and it only grows. */
  private head = -1;

  constructor(
    private readonly engine: EventStoreEngine,
    private readonly stream: string,
    private revision: number,
  ) {}

  /** Whether an event has reached the disk that was not handed out yet. */
  hasMore(): boolean {
    return this.revision <= this.engine.durableHead(this.stream);
  }

  next(): LogRecord | null {
    const { maxAgeMs } = this.engine.limitsOf(this.stream);
    const first = this.engine.firstVisible(this.stream);
    if (Math.max(this.revision, first) > this.head) this.head = this.engine.durableHead(this.stream);
    const { head } = this;
    if (this.revision > head) return null;
    const oldest = maxAgeMs === null ? 0 : Date.now() - maxAgeMs;
    // All of a soft-deleted stream is below its first visible revision, until it is written to again.
    this.revision = Math.max(this.revision, Math.min(first, head + 1));
    while (this.revision <= head) {
      const record = this.engine.eventAt(this.stream, this.revision++);
      if (record.createdMs >= oldest) return record;
    }
    return null;
  }
}

/** The events of one stream downwards from a revision, or from the head where that is lower. */
export class StreamBackwardReader implements EventReader {
  constructor(
    private readonly engine: EventStoreEngine,
    private readonly stream: string,
    private revision: number,
  ) {}

  next(): LogRecord | null {
    this.revision = Math.min(this.revision, this.engine.durableHead(this.stream));
    if (this.revision < Math.max(0, this.engine.firstVisible(this.stream))) return null;
    const { maxAgeMs } = this.engine.limitsOf(this.stream);
    const record = this.engine.eventAt(this.stream, this.revision--);
    return maxAgeMs !== null && record.createdMs < Date.now() - maxAgeMs ? null : record;
  }
}

/** All events upwards from a position where an event begins. */
export class AllForwardReader implements EventReader {
  private readonly cursor: LogCursor;

  constructor(log: SegmentedLog, position: number) {
    this.cursor = new LogCursor(log, position);
  }

  get position(): number {
    return this.cursor.position;
  }

  next(): LogRecord | null {
    return this.cursor.next();
  }
}

/** All events downwards from a position where an event begins, without that event. */
export class AllBackwardReader implements EventReader {
  private readonly cursor: LogCursor;

  constructor(log: SegmentedLog, position: number) {
    this.cursor = new LogCursor(log, position);
  }

  next(): LogRecord | null {
    return this.cursor.previous();
  }
}
