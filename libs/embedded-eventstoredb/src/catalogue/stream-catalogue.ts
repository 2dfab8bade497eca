import { closeSync, existsSync, openSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { open, type Database, type PutOptions, type RootDatabase } from 'lmdb';
import { LRUCache } from 'lru-cache';
import { LogCursor } from '../log/log-cursor';
import { LogCorruptError } from '../log/segment-file';
import type { SegmentedLog } from '../log/segmented-log';
import { eventIdKey, revisionKey, streamKey, uint48 } from './catalogue-keys';

/** Streams without unwritten entries that are kept decoded. */
const STREAMS_CACHED_MAX = 50_000;
const WRITE_BEHIND_MS = 500;
const WRITE_BEHIND_EVENTS = 10_000;
/** The log waits for the index beyond this many events: they are held in memory until they are indexed. */
const UNWRITTEN_EVENTS_MAX = 100_000;
const CHECKPOINT = Buffer.from('checkpoint');
const LMDB_MAGIC = Buffer.from('dec0efbe', 'hex');
const LMDB_MAGIC_OFFSET = 24;
const POINT_READ_BYTES = 16 * 1024;

/** Remembered for names that are asked for and not there, as most metadata streams are. */
const ABSENT = 'absent';

type Entry = Readonly<{ position: number; id: string }>;

/** What appends and reads need to know of a stream. Its revisions are gapless from 0. */
export type Stream = {
  readonly name: string;
  /** The log position of its first event. */
  readonly number: number;
  /** The last revision, -1 for none. */
  head: number;
  /** Position of the `$streamDeleted` event of a tombstoned stream. */
  tombstone: number | null;
  /** The newest events, which the index does not have yet; the last one is that of `head`. */
  readonly unwritten: Entry[];
  /** Revisions of the same events by id. */
  readonly unwrittenIds: Map<string, number>;
};

export type IndexedEvent = Readonly<{
  stream: string;
  id: string;
  revision: number | 'tombstone';
  position: number;
  next: number;
}>;

type Table = Database<Buffer, Buffer>;
type Tables = Readonly<{ streams: Table; positions: Table; ids: Table; meta: Table }>;

/** LMDB trusts the file it maps, to the point of ending the process: what is no such file must not reach it. */
const checkFormat = (path: string): void => {
  if (!existsSync(path)) return;
  const head = Buffer.alloc(LMDB_MAGIC_OFFSET + LMDB_MAGIC.length);
  const fd = openSync(path, 'r');
  try {
    readSync(fd, head, 0, head.length, 0);
  } finally {
    closeSync(fd);
  }
  if (!head.subarray(LMDB_MAGIC_OFFSET).equals(LMDB_MAGIC)) throw new Error('The index file is damaged.');
};

/** Keeps an entry that is there. lmdb takes these options, but its types offer them for the synchronous call only. */
const putOnce = (table: Table, key: Buffer, value: Buffer): Promise<boolean> =>
  (table.put as (key: Buffer, value: Buffer, options: PutOptions) => Promise<boolean>).call(
    table,
    key,
    value,
    {
      noOverwrite: true,
    },
  );

const freshStream = (name: string, number: number): Stream => ({
  name,
  number,
  head: -1,
  tombstone: null,
  unwritten: [],
  unwrittenIds: new Map(),
});

/**
 * The index over the log: streams by name, positions by revision, revisions by event id. It is written behind the log
 * and can be thrown away: what it lacks is read from the log at the next start. Entries stay in memory until they are
 * written, so that it is never behind for its callers.
 */
export class StreamCatalogue {
  private readonly cache = new LRUCache<string, Stream | typeof ABSENT>({ max: STREAMS_CACHED_MAX });
  private readonly dirty = new Map<string, Stream>();
  private readonly points: LogCursor;
  private unwrittenCount = 0;
  private seenTo = 0;
  private writing: Promise<void> | null = null;
  private timer: NodeJS.Timeout | null = null;

  private constructor(
    private readonly log: SegmentedLog,
    private readonly root: RootDatabase<Buffer, Buffer>,
    private readonly tables: Tables,
    private readonly onFailure: (error: Error) => void,
  ) {
    this.points = new LogCursor(log, 0, POINT_READ_BYTES);
  }

  /**
   * Opens the index in `folder`, builds it anew where it is missing, unusable or of another log, and catches up with
   * the log. `onFailure` is told when it cannot be written. Throws LogCorruptError when the log has lost its end.
   */
  static async open(
    folder: string,
    log: SegmentedLog,
    onFailure: (error: Error) => void,
  ): Promise<StreamCatalogue> {
    try {
      return await StreamCatalogue.openOnce(folder, log, onFailure);
    } catch (error) {
      if (error instanceof LogCorruptError) throw error;
      rmSync(folder, { recursive: true, force: true });
      return StreamCatalogue.openOnce(folder, log, onFailure);
    }
  }

  private static async openOnce(
    folder: string,
    log: SegmentedLog,
    onFailure: (error: Error) => void,
  ): Promise<StreamCatalogue> {
    const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;
    const path = join(folder, 'index.mdb');
    checkFormat(path);
    const root = open<Buffer, Buffer>({ path, maxDbs: 4, ...binary });
    const table = (name: string): Table => root.openDB<Buffer, Buffer>({ name, ...binary });
    try {
      const tables = {
        streams: table('streams'),
        positions: table('positions'),
        ids: table('ids'),
        meta: table('meta'),
      };
      const catalogue = new StreamCatalogue(log, root, tables, onFailure);
      await catalogue.catchUp();
      return catalogue;
    } catch (error) {
      await root.close();
      throw error;
    }
  }

  find(name: string): Stream | null {
    const known = this.dirty.get(name) ?? this.cache.get(name);
    if (known) return known === ABSENT ? null : known;
    const value = this.tables.streams.get(streamKey(name));
    if (!value) {
      this.cache.set(name, ABSENT);
      return null;
    }
    const stream = freshStream(name, value.readUIntLE(0, 6));
    stream.head = value.readUIntLE(6, 6) - 1;
    stream.tombstone = value.readUIntLE(12, 6) || null;
    this.cache.set(name, stream);
    return stream;
  }

  /** The position of a revision at or below the head of the stream. */
  positionOf(stream: Stream, revision: number): number {
    const unwritten = this.unwrittenAt(stream, revision);
    if (unwritten) return unwritten.position;
    const value = this.tables.positions.get(revisionKey(stream.number, revision));
    if (!value) throw new Error(`The index lacks revision ${revision} of stream ${stream.name}.`);
    return value.readUIntLE(0, 6);
  }

  /** The id of an event that may not be on disk yet; null when it is in the index already. */
  unwrittenId(stream: Stream, revision: number): string | null {
    return this.unwrittenAt(stream, revision)?.id ?? null;
  }

  /** The revision that an event id has in a stream (the first one, if it was written more than once). */
  revisionOf(stream: Stream, id: string): number | null {
    const value = this.tables.ids.get(eventIdKey(stream.number, id));
    return value?.readUIntLE(0, 6) ?? stream.unwrittenIds.get(id) ?? null;
  }

  /** Takes in an event that was queued in the log. Events come in log order; known ones may come again. */
  add(event: IndexedEvent): void {
    this.seenTo = event.next;
    const stream = this.find(event.stream) ?? freshStream(event.stream, event.position);
    if (event.revision !== 'tombstone' && event.revision <= stream.head) return;
    this.dirty.set(event.stream, stream);
    if (event.revision === 'tombstone') stream.tombstone = event.position;
    else {
      stream.head = event.revision;
      stream.unwritten.push(event);
      if (!stream.unwrittenIds.has(event.id)) stream.unwrittenIds.set(event.id, event.revision);
      this.unwrittenCount += 1;
    }
    this.schedule();
  }

  /** Resolves when there is room for more entries; undefined when there is room now. */
  room(): Promise<void> | undefined {
    return this.unwrittenCount > UNWRITTEN_EVENTS_MAX ? this.writeBehind() : undefined;
  }

  async close(): Promise<void> {
    await this.writing;
    await this.writeBehind();
    if (this.timer) clearTimeout(this.timer);
    await this.root.close();
  }

  private unwrittenAt({ head, unwritten }: Stream, revision: number): Entry | undefined {
    return unwritten[revision - (head - unwritten.length + 1)];
  }

  private schedule(): void {
    if (this.unwrittenCount >= WRITE_BEHIND_EVENTS && !this.writing) void this.writeBehind();
    else this.timer ??= setTimeout(() => void this.writeBehind(), WRITE_BEHIND_MS);
  }

  private writeBehind(): Promise<void> {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    return (this.writing ??= this.writeDurable()
      .catch(this.onFailure)
      .finally(() => (this.writing = null)));
  }

  /** Writes the entries of durable events, and only when they are written how far the index has come. */
  private async writeDurable(): Promise<void> {
    const { streams, positions, ids, meta } = this.tables;
    const upTo = Math.min(this.seenTo, this.log.durable);
    const written: [Stream, number][] = [];
    const done: Promise<boolean>[] = [];
    let lastPosition = 0;
    for (const stream of this.dirty.values()) {
      const first = stream.head - stream.unwritten.length + 1;
      let count = 0;
      for (; count < stream.unwritten.length; count += 1) {
        const { position, id } = stream.unwritten[count] as Entry;
        if (position >= upTo) break;
        done.push(positions.put(revisionKey(stream.number, first + count), uint48(position)));
        done.push(putOnce(ids, eventIdKey(stream.number, id), uint48(first + count)));
        lastPosition = Math.max(lastPosition, position);
      }
      const tombstone = stream.tombstone !== null && stream.tombstone < upTo ? stream.tombstone : 0;
      if (count === 0 && tombstone === 0) continue;
      lastPosition = Math.max(lastPosition, tombstone);
      done.push(streams.put(streamKey(stream.name), uint48(stream.number, first + count, tombstone)));
      written.push([stream, count]);
    }
    if (written.length === 0) return;
    await Promise.all(done);
    const checksum = this.points.at(lastPosition)?.checksum ?? 0;
    await meta.put(CHECKPOINT, Buffer.concat([uint48(upTo, lastPosition, checksum), this.log.logId]));
    for (const [stream, count] of written) this.forget(stream, count, upTo);
  }

  private forget(stream: Stream, count: number, upTo: number): void {
    const first = stream.head - stream.unwritten.length + 1;
    stream.unwritten.splice(0, count).forEach(({ id }, index) => {
      if (stream.unwrittenIds.get(id) === first + index) stream.unwrittenIds.delete(id);
    });
    this.unwrittenCount -= count;
    const tombstoneWritten = stream.tombstone === null || stream.tombstone < upTo;
    if (stream.unwritten.length > 0 || !tombstoneWritten) return;
    this.dirty.delete(stream.name);
    this.cache.set(stream.name, stream);
  }

  private async catchUp(): Promise<void> {
    const checkpoint = this.tables.meta.get(CHECKPOINT);
    let from = this.log.start;
    if (checkpoint) {
      from = checkpoint.readUIntLE(0, 6);
      if (!checkpoint.subarray(18).equals(this.log.logId))
        throw new Error('The index belongs to another log.');
      if (from > this.log.durable) {
        throw new LogCorruptError(
          `The event log ends at ${this.log.durable}, but events up to ${from} were acknowledged.`,
        );
      }
      if (this.points.at(checkpoint.readUIntLE(6, 6))?.checksum !== checkpoint.readUIntLE(12, 6)) {
        throw new Error('The index belongs to another state of the log.');
      }
    }
    this.seenTo = from;
    const cursor = new LogCursor(this.log, from);
    for (let record = cursor.next(); record; record = cursor.next()) {
      const { stream, id, position, next } = record;
      this.add({ stream, id, revision: record.isTombstone ? 'tombstone' : record.revision, position, next });
      if (this.unwrittenCount >= WRITE_BEHIND_EVENTS) await this.writeBehind();
    }
  }
}
