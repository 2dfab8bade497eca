import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ABORT, open, type RootDatabase } from 'lmdb';
import { Store } from './store';

const KEY = Buffer.from([0, 0, 1, 1]);
const OTHER = Buffer.from([0, 0, 1, 2]);

describe('a commit', () => {
  let dataDir: string;
  let store: Store;

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'regulars-store-'));
    store = new Store(dataDir);
  });
  afterEach(async () => {
    await store.close();
    rmSync(dataDir, { recursive: true });
  });

  /** LMDB undoes the next `times` transactions when they are to be committed, and says so. */
  const giveUp = (times: number): void => {
    const { db } = store as unknown as { db: RootDatabase<Buffer, Buffer> };
    const commit = db.transactionSync.bind(db);
    let left = times;
    db.transactionSync = ((action: () => unknown) => {
      if (left === 0) return commit(action);
      left -= 1;
      commit(() => {
        action();
        return ABORT;
      });
      throw new Error('MDB_BAD_TXN: Transaction must abort, has a child, or is invalid');
    }) as typeof db.transactionSync;
  };

  it.each([1, 2, 5])('that LMDB gives up %p times is made again, and its action runs once', async (times) => {
    await store.write(() => store.put(OTHER, Buffer.from('old')));
    giveUp(times);
    let runs = 0;
    const answer = await store.write(() => {
      runs += 1;
      store.put(KEY, Buffer.from('first'));
      store.put(KEY, Buffer.from('second'));
      store.remove(OTHER);
      return 'done';
    });
    expect({ answer, runs, value: store.get(KEY)?.toString(), other: store.get(OTHER) }).toEqual({
      answer: 'done',
      runs: 1,
      value: 'second',
      other: undefined,
    });
  });
});

describe('a checkpoint', () => {
  it('is made even where LMDB refuses a compacting copy', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'regulars-store-'));
    const store = new Store(dataDir);
    const { db } = store as unknown as { db: RootDatabase<Buffer, Buffer> };
    const backup = db.backup.bind(db);
    db.backup = (path, compact) =>
      compact ? Promise.reject(new Error('MDB_INCOMPATIBLE')) : backup(path, compact);
    await store.write(() => store.put(KEY, Buffer.from('kept')));
    await store.checkpoint();
    await store.close();

    const kept = open<Buffer, Buffer>({
      path: join(dataDir, 'store.checkpoint.mdb'),
      keyEncoding: 'binary',
      encoding: 'binary',
      noSubdir: true,
    });
    expect(kept.getBinary(KEY)?.toString()).toBe('kept');
    await kept.close();
    expect(existsSync(join(dataDir, 'store.unfinished.mdb'))).toBe(false);
    rmSync(dataDir, { recursive: true });
  });
});
