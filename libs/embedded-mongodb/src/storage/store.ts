import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { open, RootDatabase } from 'lmdb';

const FILE = 'documents.mdb';
const COMPACTED = 'documents.compact.mdb';
const COPY_CHUNK = 2_000;

export type KeyRange = Readonly<{ start: Buffer; end: Buffer }>;

const openFile = (path: string): RootDatabase<Buffer, Buffer> =>
  open<Buffer, Buffer>({
    path,
    keyEncoding: 'binary',
    encoding: 'binary',
    // Fresh pages are zeroed: no bytes of something else end up in the file.
    noMemInit: false,
    noSubdir: true,
    maxDbs: 1,
  });

/**
 * The B-tree of binary keys that everything lives in, one LMDB file. Commits are atomic; they reach the disk in the
 * background, in order, and LMDB keeps the last one that did, so that no crash leaves it torn. Writes of commands that
 * come together share a commit.
 */
export class Store {
  private db: RootDatabase<Buffer, Buffer>;
  /** Set while the file is rewritten; writers wait for it. */
  private rewriting: Promise<void> | undefined;
  private writers = 0;

  constructor(private readonly dataDir: string) {
    for (const name of [COMPACTED, `${COMPACTED}-lock`]) rmSync(join(dataDir, name), { force: true });
    this.db = openFile(join(dataDir, FILE));
  }

  /** Runs `action` in a write transaction; resolves when it is committed. It must not throw after its first write. */
  async write<Result>(action: () => Result): Promise<Result> {
    while (this.rewriting) await this.rewriting;
    this.writers += 1;
    try {
      return await this.db.transaction(action);
    } finally {
      this.writers -= 1;
    }
  }

  /** Resolves when all that was committed is on disk. */
  async flushed(): Promise<void> {
    await this.db.flushed;
  }

  get(key: Buffer): Buffer | undefined {
    return this.db.getBinary(key);
  }

  put(key: Buffer, value: Buffer): void {
    this.db.putSync(key, value);
  }

  remove(key: Buffer): void {
    this.db.removeSync(key);
  }

  /** Up to `limit` keys of the range, in order or from its end; `after` resumes behind a key already seen. */
  keys({ start, end }: KeyRange, limit: number, reverse = false, after?: Buffer): Buffer[] {
    return [...this.db.getKeys(this.options(start, end, limit, reverse, after))];
  }

  entries(
    { start, end }: KeyRange,
    limit: number,
    reverse = false,
    after?: Buffer,
  ): { key: Buffer; value: Buffer }[] {
    return [...this.db.getRange(this.options(start, end, limit, reverse, after))];
  }

  private options(start: Buffer, end: Buffer, limit: number, reverse: boolean, after: Buffer | undefined) {
    return reverse
      ? { start: after ?? end, end: start, exclusiveStart: true, inclusiveEnd: true, reverse, limit }
      : { start: after ?? start, end, exclusiveStart: after !== undefined, limit };
  }

  /** Walks the range natively: cheap, but not bounded. */
  count({ start, end }: KeyRange): number {
    return this.db.getKeysCount({ start, end });
  }

  /**
   * Writes all live entries to a new file and swaps it in, so that no byte of what was deleted is left in a file.
   * Reads go on meanwhile, writes wait. A crash leaves either the old or the new file.
   */
  async rewrite(pause: () => Promise<void>): Promise<void> {
    while (this.rewriting) await this.rewriting;
    let release = (): void => undefined;
    this.rewriting = new Promise((resolve) => (release = resolve));
    try {
      while (this.writers > 0) await pause();
      await this.db.flushed;
      await this.copyTo(join(this.dataDir, COMPACTED), pause);
      await this.db.close();
      for (const name of [`${COMPACTED}-lock`, `${FILE}-lock`])
        rmSync(join(this.dataDir, name), { force: true });
      renameSync(join(this.dataDir, COMPACTED), join(this.dataDir, FILE));
      syncFolder(this.dataDir);
      this.db = openFile(join(this.dataDir, FILE));
    } finally {
      this.rewriting = undefined;
      release();
    }
  }

  private async copyTo(path: string, pause: () => Promise<void>): Promise<void> {
    rmSync(path, { force: true });
    const target = openFile(path);
    let after: Buffer | undefined;
    const everything = { start: Buffer.from([0]), end: Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff]) };
    for (;;) {
      const chunk = this.entries(everything, COPY_CHUNK, false, after);
      if (chunk.length === 0) break;
      await target.transaction(() => {
        for (const { key, value } of chunk) target.putSync(key, value);
      });
      after = chunk.at(-1)!.key;
      await pause();
    }
    await target.flushed;
    await target.close();
  }

  async close(): Promise<void> {
    while (this.rewriting) await this.rewriting;
    await this.db.flushed;
    await this.db.close();
  }
}

const syncFolder = (path: string): void => {
  // A rename is durable once its folder is; Windows has no such call and does not need it.
  if (process.platform === 'win32') return;
  const folder = openSync(dirname(join(path, FILE)), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
};
