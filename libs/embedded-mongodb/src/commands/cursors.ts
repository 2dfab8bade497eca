import { randomBytes } from 'node:crypto';
import { CommandError } from '../command.error';
import { DocumentWriter } from '../bson/document-writer';
import { Source } from '../query/source';
import { Pace } from './pace';

const CURSORS_MAX = 1_000;
const IDLE_MS_MAX = 10 * 60 * 1_000;
const BATCH_BYTES_MAX = 16 * 1024 * 1024;

/** A query under way: what it has found and not sent yet, and where it goes on. */
class Cursor {
  private pending: Buffer[] = [];
  private isOver = false;
  usedAt = Date.now();
  isBusy = false;

  constructor(
    readonly namespace: string,
    private readonly source: Source,
  ) {}

  /** Up to `count` documents, fewer where they get too long for a message. */
  async batch(count: number, pace: Pace): Promise<Buffer[]> {
    const batch: Buffer[] = [];
    let bytes = 0;
    while (batch.length < count) {
      if (this.pending.length === 0) {
        const found = this.source.next(count - batch.length);
        if (!found) {
          this.isOver = true;
          break;
        }
        this.pending = found;
        if (pace.isDue) await pace.pause();
        continue;
      }
      const room = count - batch.length;
      let taken = 0;
      while (taken < this.pending.length && taken < room) {
        const length = this.pending[taken]!.length + 16;
        if (batch.length > 0 && bytes + length > BATCH_BYTES_MAX) {
          this.pending = this.pending.slice(taken);
          return batch;
        }
        bytes += length;
        batch.push(this.pending[taken]!);
        taken += 1;
      }
      this.pending = this.pending.slice(taken);
    }
    return batch;
  }

  /** Whether nothing is left; looks one step further to save the client a round trip. */
  get isExhausted(): boolean {
    if (this.pending.length > 0) return false;
    if (this.isOver) return true;
    const found = this.source.next(1);
    if (!found) return true;
    this.pending = found;
    return false;
  }
}

/** The open cursors, bounded in number and in idle time. */
export class Cursors {
  private readonly open = new Map<bigint, Cursor>();

  /** Answers with the first batch of a source and keeps the rest open, unless `single`. */
  async first(namespace: string, source: Source, batchSize: number, single: boolean): Promise<Buffer> {
    const pace = new Pace();
    const cursor = new Cursor(namespace, source);
    const batch = await cursor.batch(batchSize, pace);
    const isOver = single || cursor.isExhausted;
    const id = isOver ? 0n : this.keep(cursor);
    return cursorReply('firstBatch', batch, id, namespace);
  }

  async more(id: bigint, namespace: string, batchSize: number | undefined): Promise<Buffer> {
    const cursor = this.open.get(id);
    if (!cursor) throw new CommandError(43, `cursor id ${id} not found`);
    if (cursor.namespace !== namespace) {
      throw new CommandError(
        13,
        `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${cursor.namespace}`,
      );
    }
    if (cursor.isBusy) throw new CommandError(12051, `cursor id ${id} is already in use`);
    cursor.isBusy = true;
    try {
      const batch = await cursor.batch(batchSize ?? Infinity, new Pace());
      cursor.usedAt = Date.now();
      const isOver = cursor.isExhausted;
      if (isOver) this.open.delete(id);
      return cursorReply('nextBatch', batch, isOver ? 0n : id, namespace);
    } catch (error) {
      this.open.delete(id);
      throw error;
    } finally {
      cursor.isBusy = false;
    }
  }

  /** Whether the cursor was open. */
  kill(id: bigint): boolean {
    return this.open.delete(id);
  }

  private keep(cursor: Cursor): bigint {
    this.dropIdle();
    if (this.open.size >= CURSORS_MAX) throw new CommandError(2, `more than ${CURSORS_MAX} open cursors`);
    const id = randomBytes(8).readBigInt64LE() & 0x7fffffffffffffffn;
    this.open.set(id, cursor);
    return id;
  }

  dropIdle(): void {
    const limit = Date.now() - IDLE_MS_MAX;
    for (const [id, cursor] of this.open) if (!cursor.isBusy && cursor.usedAt < limit) this.open.delete(id);
  }
}

const cursorReply = (batchName: string, batch: readonly Buffer[], id: bigint, namespace: string): Buffer => {
  const size = batch.reduce((sum, document) => sum + document.length + 12, 256);
  const writer = new DocumentWriter(size);
  const mark = writer.begin();
  const cursor = writer.beginDocument('cursor');
  writer.documents(batchName, batch);
  writer.int64('id', id);
  writer.string('ns', namespace);
  writer.end(cursor);
  writer.double('ok', 1);
  writer.end(mark);
  return writer.buf.subarray(0, writer.length);
};
