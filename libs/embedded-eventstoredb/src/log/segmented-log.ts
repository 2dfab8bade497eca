import { closeSync, fdatasync, fsyncSync, ftruncateSync, openSync, readSync, write } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { LRUCache } from 'lru-cache';
import { recoverSegments, type Segment } from './log-recovery';
import { createSegment, LogCorruptError, SEGMENT_HEADER_SIZE, segmentPath } from './segment-file';

const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;
/** Room made ahead in the newest file: appending inside a file's length syncs faster than growing it. */
const ROOM_AHEAD_BYTES = 8 * 1024 * 1024;
const OPEN_SEGMENTS_MAX = 64;
/** Appends wait their turn beyond this: it bounds what is held in memory, not what a client may send. */
const GROUP_BYTES_MAX = 16 * 1024 * 1024;

/** The calls that make bytes durable. */
export const systemDisk = { write: promisify(write), sync: promisify(fdatasync) };

type Chunk = { readonly segment: Segment; readonly position: number; readonly records: Buffer[] };
type Waiter = { readonly position: number; readonly settle: (error: Error | null) => void };

/** The log no longer takes appends, because an earlier write or sync failed. Reads go on. */
export class LogFailedError extends Error {}

export type LogOptions = Readonly<{
  folder: string;
  segmentBytes?: number;
  /** Awaited before each group is written, so that whoever follows the log can hold it back. */
  beforeWrite?: () => Promise<void> | undefined;
  /** The calls that make bytes durable; replaced in tests of what happens when they fail. */
  disk?: typeof systemDisk;
}>;

/**
 * An append-only log of events in segment files. Positions are byte offsets in the whole log. Appends that arrive while
 * a group is being written form the next group: one write and one sync for all of them. Reads are synchronous and see
 * what is on disk only.
 */
export class SegmentedLog {
  readonly logId: Buffer;
  private readonly segments: Segment[];
  private readonly readers = new LRUCache<string, number>({
    max: OPEN_SEGMENTS_MAX,
    dispose: (fd) => closeSync(fd),
  });
  private readonly segmentBytes: number;
  private readonly disk: typeof systemDisk;
  private writer: number;
  private writing: Segment;
  private room: number;
  private chunks: Chunk[] = [];
  private chunkBytes = 0;
  private waiters: Waiter[] = [];
  private followers = new Set<() => void>();
  private flushing: Promise<void> | null = null;
  private failure: LogFailedError | null = null;
  private admitted: number;
  private synced: number;

  private constructor(private readonly options: LogOptions) {
    this.segmentBytes = options.segmentBytes ?? SEGMENT_BYTES_MAX;
    this.disk = options.disk ?? systemDisk;
    const opened = recoverSegments(options.folder);
    this.segments = opened.segments;
    this.logId = opened.logId;
    this.writer = opened.writer;
    this.writing = this.last;
    this.admitted = this.synced = this.last.end;
    this.room = this.last.end;
  }

  /**
   * Opens or creates the log in an existing folder. `cutTail` must follow before the first append.
   * Throws LogCorruptError when something that had been acknowledged cannot be read.
   */
  static open(options: LogOptions): SegmentedLog {
    return new SegmentedLog(options);
  }

  /** Removes what stands behind the last complete append, so that no later record can be confused with it. */
  cutTail(): void {
    ftruncateSync(this.writer, this.synced - this.last.base);
    fsyncSync(this.writer);
    this.room = this.synced;
  }

  /** The position of the first record. */
  get start(): number {
    return SEGMENT_HEADER_SIZE;
  }

  /** Everything before this position is on disk. */
  get durable(): number {
    return this.synced;
  }

  /** Whether more is waiting to be written than one group should hold. */
  get isSaturated(): boolean {
    return this.chunkBytes > GROUP_BYTES_MAX;
  }

  /**
   * The position that the next record gets. Records of one append stay in one segment: `startAppend` first, then
   * `write` each, then `whenDurable`, without awaiting in between.
   */
  startAppend(): number {
    if (this.failure) throw this.failure;
    if (this.admitted - this.last.base >= this.segmentBytes) {
      this.last.end = this.admitted;
      const base = this.admitted;
      this.admitted += SEGMENT_HEADER_SIZE;
      this.segments.push({ base, path: segmentPath(this.options.folder, base), end: this.admitted });
    }
    return this.admitted;
  }

  /** Queues a packed record that was made for the current position. */
  write(record: Buffer): number {
    const chunk = this.chunks.at(-1);
    if (chunk?.segment === this.last) chunk.records.push(record);
    else this.chunks.push({ segment: this.last, position: this.admitted, records: [record] });
    this.admitted += record.length;
    this.chunkBytes += record.length;
    return this.admitted;
  }

  /** Calls back once everything queued so far is on disk, or with the failure that prevents it. */
  whenDurable(settle: (error: Error | null) => void): void {
    if (this.failure) return settle(this.failure);
    if (this.admitted === this.synced) return settle(null);
    this.waiters.push({ position: this.admitted, settle });
    this.flushing ??= this.flush();
  }

  /** Calls `wake` after each group that reached the disk, until the returned function is called. */
  follow(wake: () => void): () => void {
    this.followers.add(wake);
    return () => this.followers.delete(wake);
  }

  /**
   * Reads bytes from `position` on into `target`, up to the end of the segment or of what is durable.
   * Returns how many; 0 at the end of the log.
   */
  read(position: number, target: Buffer): number {
    const segment = this.segmentOf(position);
    const wanted = Math.min(target.length, this.endOf(segment) - position);
    if (wanted <= 0) return 0;
    let fd = this.readers.get(segment.path);
    if (fd === undefined) {
      fd = openSync(segment.path, 'r');
      this.readers.set(segment.path, fd);
    }
    let got = 0;
    while (got < wanted) {
      const count = readSync(fd, target, got, wanted - got, position - segment.base + got);
      if (count === 0) throw new LogCorruptError(`The log ends early at position ${position + got}.`);
      got += count;
    }
    return got;
  }

  /** Where the segment that holds `position` begins (its first record) and ends. */
  boundsOf(position: number): { first: number; end: number } {
    const segment = this.segmentOf(position);
    return { first: segment.base + SEGMENT_HEADER_SIZE, end: this.endOf(segment) };
  }

  /** Takes no more appends; reads go on. Who waits is told. */
  fail(error: Error): void {
    this.failure ??= new LogFailedError(`The event log cannot be written: ${error.message}`);
    this.settle(this.failure);
  }

  /** Writes what is queued, then takes no more appends. */
  async stop(): Promise<void> {
    while (this.flushing) await this.flushing;
    if (this.failure) return;
    this.cutTail();
    this.failure = new LogFailedError('The event store is shutting down.');
  }

  closeFiles(): void {
    closeSync(this.writer);
    this.readers.clear();
  }

  private get last(): Segment {
    return this.segments[this.segments.length - 1] as Segment;
  }

  private endOf(segment: Segment): number {
    return segment === this.last ? this.synced : Math.min(segment.end, this.synced);
  }

  private segmentOf(position: number): Segment {
    let low = 0;
    let high = this.segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.segments[middle] as Segment).base <= position) low = middle;
      else high = middle - 1;
    }
    return this.segments[low] as Segment;
  }

  private async flush(): Promise<void> {
    try {
      // What arrived with the same packet belongs to the same group.
      await nextTurn();
      while (this.chunks.length > 0) {
        await this.options.beforeWrite?.();
        const group = this.chunks;
        const upTo = this.admitted;
        this.chunks = [];
        this.chunkBytes = 0;
        for (const chunk of group) await this.writeChunk(chunk);
        await this.disk.sync(this.writer);
        if (this.failure) return;
        this.synced = upTo;
        this.settle(null);
        for (const wake of [...this.followers]) wake();
      }
    } catch (error) {
      // What reached the disk is unknown now, so nothing may be acknowledged any more: the next start finds out.
      this.chunks = [];
      this.fail(error as Error);
    } finally {
      this.flushing = null;
    }
  }

  private settle(error: Error | null): void {
    const count = error
      ? this.waiters.length
      : this.waiters.findIndex(({ position }) => position > this.synced);
    for (const waiter of this.waiters.splice(0, count === -1 ? this.waiters.length : count))
      waiter.settle(error);
  }

  private async writeChunk({ segment, position, records }: Chunk): Promise<void> {
    if (segment !== this.writing) await this.roll(segment);
    const bytes = records.length === 1 ? (records[0] as Buffer) : Buffer.concat(records);
    const offset = position - segment.base;
    if (offset + bytes.length > this.room - segment.base) {
      this.room = position + bytes.length + ROOM_AHEAD_BYTES;
      ftruncateSync(this.writer, this.room - segment.base);
    }
    for (let done = 0; done < bytes.length;) {
      done += (await this.disk.write(this.writer, bytes, done, bytes.length - done, offset + done))
        .bytesWritten;
    }
  }

  /** Finishes the segment before `segment`, then creates it: a segment exists only if all before it is on disk. */
  private async roll(segment: Segment): Promise<void> {
    ftruncateSync(this.writer, this.writing.end - this.writing.base);
    await this.disk.sync(this.writer);
    closeSync(this.writer);
    this.writer = createSegment(this.options.folder, segment.base, this.logId);
    this.writing = segment;
    this.room = segment.base + SEGMENT_HEADER_SIZE;
  }
}
