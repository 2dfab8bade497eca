import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { open, RootDatabase } from 'lmdb';
import { DocumentWriter } from '../bson/document-writer';
import { Value } from '../bson/raw-value';
import { replaceFile, syncFile, syncFileNow, syncFolderNow } from './durable-files';
import { Journal } from './journal';
import { hasMachineGoneDown, markClosed, markRunning } from './running-mark';

const FILE = 'store.mdb';
const CHECKPOINT = 'store.checkpoint.mdb';
const UNFINISHED = 'store.unfinished.mdb';
const COPY_CHUNK = 2_000;
const COMMITS_AGAIN_MAX = 5;
/** Below every key in use. */
const PADDING = Buffer.from([0]);
const PADDING_BYTES = 65_536;
/** A checkpoint is made this long after the first write that it covers, later where it takes long. */
const CHECKPOINT_MS = 60_000;
const CHECKPOINT_SHARE = 20;

export type KeyRange = Readonly<{ start: Buffer; end: Buffer }>;

const openFile = (path: string): RootDatabase<Buffer, Buffer> =>
  open<Buffer, Buffer>({
    path,
    keyEncoding: 'binary',
    encoding: 'binary',
    noSync: true,
    // Fresh pages are zeroed: no bytes of something else end up in the file.
    noMemInit: false,
    noSubdir: true,
    maxDbs: 1,
  });

const removeFile = (dataDir: string, name: string): void => {
  for (const path of [name, `${name}-lock`]) rmSync(join(dataDir, path), { force: true });
};

/**
 * The B-tree of binary keys that everything lives in, one LMDB file. A commit is atomic and costs no flush: a killed
 * process loses nothing. Against a machine that stops there are, as in MongoDB, checkpoints (a copy of the file, at
 * most about a minute old) and a journal of what was written with `j: true` since.
 */
export class Store {
  private db: RootDatabase<Buffer, Buffer>;
  private readonly journal: Journal;
  /** What the running transaction has to put into the journal, if it is to. */
  private noted: Buffer[] | undefined;
  /** What the last transaction wrote, in order. */
  private written: [key: Buffer, value: Buffer | undefined][] = [];
  /** Set while the file is rewritten; writers wait for it. */
  private rewriting: Promise<void> | undefined;
  private checkpointing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;
  private lastCheckpointMs = 0;
  /** The machine went down: the file is an older one, and `lost` is to be written again. */
  readonly isTorn: boolean;
  /** Records of the journal. */
  readonly lost: readonly Buffer[];

  constructor(private readonly dataDir: string) {
    removeFile(dataDir, UNFINISHED);
    this.isTorn = hasMachineGoneDown(dataDir);
    if (this.isTorn) this.restoreCheckpoint();
    this.lost = this.isTorn ? Journal.read(dataDir) : [];
    this.journal = new Journal(dataDir);
    if (!this.isTorn) markRunning(dataDir);
    this.db = openFile(join(dataDir, FILE));
  }

  private restoreCheckpoint(): void {
    removeFile(this.dataDir, FILE);
    const checkpoint = join(this.dataDir, CHECKPOINT);
    if (!existsSync(checkpoint)) return;
    copyFileSync(checkpoint, join(this.dataDir, FILE));
    syncFileNow(join(this.dataDir, FILE));
    syncFolderNow(this.dataDir);
  }

  /** To be called when the lost records have been written again. */
  async recovered(): Promise<void> {
    await this.checkpoint();
    markRunning(this.dataDir);
  }

  /**
   * Runs `action` in a write transaction. Resolves when it is committed, with `journaled` when the documents it has
   * `note`d are on disk. Refusals are to be returned: an action that throws is undone, and stops the server.
   */
  async write<Result>(action: () => Result, journaled = false): Promise<Result> {
    while (this.rewriting) await this.rewriting;
    const noted: Buffer[] = [];
    this.noted = journaled ? noted : undefined;
    let result: Result;
    try {
      result = this.committed(action);
    } catch (error) {
      // What is kept in memory no longer fits what is stored: better to stop than to go on with it.
      setImmediate(() => {
        throw error;
      });
      throw error;
    } finally {
      this.noted = undefined;
    }
    this.scheduleCheckpoint();
    if (noted.length > 0) await Promise.all(noted.map((record) => this.journal.append(record)));
    return result;
  }

  /**
   * Commits, again where LMDB gave a transaction up for reasons of its own: saving its list of free pages, it now and then
   * takes an entry that is not there for an empty one, and undoes everything (`MDB_BAD_TXN`). The same writes are made
   * again then, not the action, which may have changed what is in memory. Pages freed beforehand give them another list.
   */
  private committed<Result>(action: () => Result): Result {
    this.written = [];
    let result: Result | undefined;
    let isDone = false;
    try {
      this.db.transactionSync(() => {
        result = action();
        isDone = true;
      });
    } catch (error) {
      if (!isDone) throw error;
      commitAgain(this.db, this.written, error);
    }
    return result as Result;
  }

  /** Tells the journal what has become of a document; undefined where it was removed. */
  note(namespace: string, id: Value, document: Buffer | undefined): void {
    if (!this.noted) return;
    const writer = new DocumentWriter((document?.length ?? 0) + 256);
    const mark = writer.begin();
    writer.string('ns', namespace);
    writer.value('id', id);
    if (document) writer.document('document', document);
    writer.end(mark);
    this.noted.push(writer.take());
  }

  get(key: Buffer): Buffer | undefined {
    return this.db.getBinary(key);
  }

  put(key: Buffer, value: Buffer): void {
    this.db.putSync(key, value);
    this.written.push([key, value]);
  }

  remove(key: Buffer): void {
    this.db.removeSync(key);
    this.written.push([key, undefined]);
  }

  /** Up to `limit` keys of the range, in order or from its end; `after` resumes behind a key already seen. */
  keys({ start, end }: KeyRange, limit: number, reverse = false, after?: Buffer): Buffer[] {
    return [...this.db.getKeys(rangeOptions(start, end, limit, reverse, after))];
  }

  entries(
    { start, end }: KeyRange,
    limit: number,
    reverse = false,
    after?: Buffer,
  ): { key: Buffer; value: Buffer }[] {
    return [...this.db.getRange(rangeOptions(start, end, limit, reverse, after))];
  }

  /** Walks the range natively: cheap, but not bounded. */
  count({ start, end }: KeyRange): number {
    return this.db.getKeysCount({ start, end });
  }

  private scheduleCheckpoint(): void {
    if (this.timer || this.isClosed) return;
    const delay = Math.max(CHECKPOINT_MS, this.lastCheckpointMs * CHECKPOINT_SHARE);
    // A failure is met again by the next one, and by `close`.
    this.timer = setTimeout(() => void this.checkpoint().catch(() => this.scheduleCheckpoint()), delay);
    this.timer.unref();
  }

  /** Resolves when all that is committed now would outlive the machine. */
  async checkpoint(): Promise<void> {
    while (this.checkpointing) await this.checkpointing;
    this.checkpointing = this.copyFile().finally(() => (this.checkpointing = undefined));
    await this.checkpointing;
  }

  private async copyFile(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const startedAt = performance.now();
    const firstKept = await this.journal.next();
    removeFile(this.dataDir, UNFINISHED);
    const path = join(this.dataDir, UNFINISHED);
    await this.backUp(path);
    await syncFile(path);
    await replaceFile(path, join(this.dataDir, CHECKPOINT));
    await this.journal.removeBefore(firstKept);
    this.lastCheckpointMs = performance.now() - startedAt;
  }

  /**
   * A compacting copy is written in small pieces, so that whoever else needs a flush meanwhile does not wait for hundreds of
   * megabytes. LMDB refuses it where its count of free pages is not right, which is no harm otherwise.
   */
  private async backUp(path: string): Promise<void> {
    try {
      await this.db.backup(path, true);
    } catch {
      removeFile(this.dataDir, UNFINISHED);
      await this.db.backup(path, false);
    }
  }

  /**
   * Writes all live entries to a new file and swaps it in, for the checkpoint, too, so that no byte of what was deleted
   * is left in a file. Reads go on meanwhile, writes wait. A crash leaves either the old or the new file.
   */
  async rewrite(pause: () => Promise<void>): Promise<void> {
    while (this.rewriting) await this.rewriting;
    let release = (): void => undefined;
    this.rewriting = new Promise((resolve) => (release = resolve));
    try {
      while (this.checkpointing) await this.checkpointing;
      await this.copyEntries(join(this.dataDir, UNFINISHED), pause);
      await this.db.close();
      removeFile(this.dataDir, FILE);
      renameSync(join(this.dataDir, UNFINISHED), join(this.dataDir, FILE));
      removeFile(this.dataDir, UNFINISHED);
      syncFolderNow(this.dataDir);
      this.db = openFile(join(this.dataDir, FILE));
      await this.checkpoint();
    } finally {
      this.rewriting = undefined;
      release();
    }
  }

  private async copyEntries(path: string, pause: () => Promise<void>): Promise<void> {
    removeFile(this.dataDir, UNFINISHED);
    const target = openFile(path);
    let after: Buffer | undefined;
    const everything = { start: Buffer.from([0]), end: Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff]) };
    for (;;) {
      const chunk = this.entries(everything, COPY_CHUNK, false, after);
      if (chunk.length === 0) break;
      try {
        target.transactionSync(() => {
          for (const { key, value } of chunk) target.putSync(key, value);
        });
      } catch (error) {
        commitAgain(
          target,
          chunk.map(({ key, value }) => [key, value]),
          error,
        );
      }
      after = chunk.at(-1)!.key;
      await pause();
    }
    await target.close();
    await syncFile(path);
  }

  async close(): Promise<void> {
    while (this.rewriting) await this.rewriting;
    const isDirty = this.timer !== undefined;
    this.isClosed = true;
    if (isDirty) await this.checkpoint();
    while (this.checkpointing) await this.checkpointing;
    await this.journal.close();
    await this.db.close();
    await syncFile(join(this.dataDir, FILE));
    markClosed(this.dataDir);
  }
}

/** The same writes in another transaction, where LMDB gave up the one they were made in; else throws what it failed with. */
const commitAgain = (
  db: RootDatabase<Buffer, Buffer>,
  written: readonly (readonly [key: Buffer, value: Buffer | undefined])[],
  failure: unknown,
): void => {
  for (let attempt = 1; attempt <= COMMITS_AGAIN_MAX; attempt += 1) {
    if (!/MDB_BAD_TXN/.test(String(failure))) break;
    try {
      db.transactionSync(() => {
        db.putSync(PADDING, Buffer.alloc(PADDING_BYTES * attempt));
        db.removeSync(PADDING);
        for (const [key, value] of written) {
          if (value) db.putSync(key, value);
          else db.removeSync(key);
        }
      });
      return;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
};

const rangeOptions = (
  start: Buffer,
  end: Buffer,
  limit: number,
  reverse: boolean,
  after: Buffer | undefined,
): object =>
  reverse
    ? { start: after ?? end, end: start, exclusiveStart: true, inclusiveEnd: true, reverse, limit }
    : { start: after ?? start, end, exclusiveStart: after !== undefined, limit };
