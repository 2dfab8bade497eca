import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CellFile } from './cell-file';
import { describeKeyStore } from './key-store.suite';
import { WRAPPED_SIZE } from './key-wrapping';
import { LmdbKeyStore } from './lmdb.key-store';

describe('LmdbKeyStore', () => {
  let folder: string;

  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'regulars-keys-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  describe('as every store of keys', () => describeKeyStore(() => LmdbKeyStore.open(folder)));

  const everyByte = async (): Promise<Buffer> =>
    Buffer.concat(
      await Promise.all((await readdir(folder)).sort().map((name) => readFile(join(folder, name)))),
    );
  const wrapped = (): Buffer => randomBytes(WRAPPED_SIZE);
  /** The bytes as they are, and pieces of them, as a half-overwritten page would hold. */
  const tracesOf = (key: Buffer, bytes: Buffer): number =>
    [0, 16, 32, 44].filter((at) => bytes.includes(key.subarray(at, at + 16))).length;

  it('leaves no byte of a destroyed or re-wrapped key in any file, and those of the others where they are', async () => {
    const store = await LmdbKeyStore.open(folder);
    const keys = Array.from({ length: 300 }, (_, index) => ({ name: `key ${index}`, bytes: wrapped() }));
    await Promise.all(keys.map(({ name, bytes }) => store.create(name, { kek: 1, wrapped: bytes })));
    const before = await everyByte();
    expect(keys.filter(({ bytes }) => tracesOf(bytes, before) === 4)).toHaveLength(300);
    const after = new Map<string, Buffer>();
    await store.rewrap(
      keys.slice(100).map(({ name, bytes }) => {
        after.set(name, wrapped());
        return { name, from: { kek: 1, wrapped: bytes }, to: { kek: 2, wrapped: after.get(name) as Buffer } };
      }),
    );
    // Some as they were created, some after they were wrapped anew.
    const destroyed = [...keys.slice(0, 50), ...keys.slice(100, 150)];
    await Promise.all(destroyed.map(({ name }) => store.destroy(name, 1)));
    for (const close of [false, true]) {
      if (close) await store.close();
      const bytes = await everyByte();
      for (const { name, bytes: first } of destroyed) {
        expect(tracesOf(first, bytes)).toBe(0);
        const second = after.get(name);
        if (second) expect(tracesOf(second, bytes)).toBe(0);
      }
      for (const { bytes: first } of keys.slice(50, 100)) expect(tracesOf(first, bytes)).toBe(4);
      for (const { name, bytes: first } of keys.slice(150)) {
        expect(tracesOf(first, bytes)).toBe(0);
        expect(tracesOf(after.get(name) as Buffer, bytes)).toBe(4);
      }
    }
  });

  it('overwrites at the next start what a kill left behind a tombstone', async () => {
    const store = await LmdbKeyStore.open(folder);
    const keys = [wrapped(), wrapped(), wrapped()] as const;
    await store.create('a', { kek: 1, wrapped: keys[0] });
    await store.create('b', { kek: 1, wrapped: keys[1] });
    const { writeNow } = CellFile.prototype;
    // As if the process were killed once the index was turned over.
    jest.spyOn(CellFile.prototype, 'writeNow').mockImplementation(function (this: CellFile, cell, bytes) {
      if (bytes === null) throw new Error('killed');
      writeNow.call(this, cell, bytes);
    });
    await expect(store.destroy('a', 1)).rejects.toThrow();
    await expect(
      store.rewrap([{ name: 'b', from: { kek: 1, wrapped: keys[1] }, to: { kek: 2, wrapped: keys[2] } }]),
    ).rejects.toThrow();
    jest.restoreAllMocks();
    expect(await store.read('a')).toEqual({ kind: 'destroyed', at: 1 });
    expect(await store.read('b')).toEqual({ kind: 'active', kek: 2, wrapped: keys[2] });
    await store.close();
    expect(tracesOf(keys[0], await everyByte())).toBe(4);
    await (await LmdbKeyStore.open(folder)).close();
    const bytes = await everyByte();
    expect(keys.map((key) => tracesOf(key, bytes))).toEqual([0, 0, 4]);
  });

  it('gives out a slot once, whatever is opened in between', async () => {
    const stores = await Promise.all([LmdbKeyStore.open(folder), LmdbKeyStore.open(folder)]);
    const keys = Array.from({ length: 300 }, wrapped);
    await Promise.all(
      keys.map((key, index) =>
        (stores[index % 2] as LmdbKeyStore).create(`key ${index}`, { kek: 1, wrapped: key }),
      ),
    );
    await Promise.all(stores.map((store) => store.close()));
    const again = await LmdbKeyStore.open(folder);
    await Promise.all(keys.map((_, index) => again.create(`more ${index}`, { kek: 1, wrapped: wrapped() })));
    for (const [index, key] of keys.entries())
      expect(again.readAtHand(`key ${index}`)).toEqual({ kind: 'active', kek: 1, wrapped: key });
    await again.close();
  });
});
