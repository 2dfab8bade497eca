import { randomBytes } from 'node:crypto';
import type { KeyStore, WrappedKey } from './key-store.port';
import { WRAPPED_SIZE } from './key-wrapping';

const someKey = (kek = 1): WrappedKey => ({ kek, wrapped: randomBytes(WRAPPED_SIZE) });
const active = (key: WrappedKey) => ({ kind: 'active', ...key });

/** What every store of keys promises. `open` opens the same store again. */
export const describeKeyStore = (open: () => Promise<KeyStore>): void => {
  let store: KeyStore;
  let other: KeyStore;

  beforeEach(async () => {
    store = await open();
    other = await open();
  });
  afterEach(async () => {
    await store.close();
    await other.close();
  });

  it('keeps the first key that is stored under a name, however many come at once', async () => {
    expect(await store.read('a')).toBeNull();
    const keys = Array.from({ length: 10 }, () => someKey());
    const stored = await Promise.all(
      keys.map((key, index) => (index % 2 === 0 ? store : other).create('a', key)),
    );
    const winner = await store.read('a');
    expect(keys.map(active)).toContainEqual(winner);
    expect(stored).toEqual(keys.map(() => winner));
    expect(await other.read('a')).toEqual(winner);
  });

  it('never forgets a destruction', async () => {
    const key = someKey();
    await store.create('a', key);
    expect(await store.destroy('a', 1_000)).toBe(1_000);
    expect(await other.destroy('a', 2_000)).toBe(1_000);
    expect(await store.destroy('never there', 3_000)).toBe(3_000);
    for (const each of [store, other]) {
      expect(await each.read('a')).toEqual({ kind: 'destroyed', at: 1_000 });
      expect(await each.create('a', key)).toEqual({ kind: 'destroyed', at: 1_000 });
      expect(await each.create('never there', key)).toEqual({ kind: 'destroyed', at: 3_000 });
      await each.rewrap([{ name: 'a', from: key, to: someKey(2) }]);
      expect(await each.read('a')).toEqual({ kind: 'destroyed', at: 1_000 });
    }
  });

  it('lists what was destroyed in one order without gaps, also where many processes destroy at once', async () => {
    expect(await store.newestTombstone()).toBe(0);
    const names = Array.from({ length: 20 }, (_, index) => `key ${index}`);
    await Promise.all(
      names.flatMap((name, index) => [
        (index % 2 === 0 ? store : other).create(name, someKey()),
        (index % 3 === 0 ? store : other).destroy(name, index),
        store.destroy(name, index),
      ]),
    );
    const list = await other.tombstones(1, 100);
    expect(list.map(({ seq }) => seq)).toEqual(names.map((_, index) => index + 1));
    expect(list.map(({ name }) => name).sort()).toEqual([...names].sort());
    for (const { name, at } of list) expect(name).toBe(`key ${at}`);
    expect(await store.newestTombstone()).toBe(20);
    expect(await store.tombstones(19, 100)).toEqual(list.slice(18));
    expect(await store.tombstones(1, 3)).toEqual(list.slice(0, 3));
    expect(await store.tombstones(21, 3)).toEqual([]);
    const atHand = store.tombstonesAtHand(19, 100);
    if (atHand !== undefined) expect(atHand).toEqual(list.slice(18));
  });

  it('replaces a key that is as it was, and no other', async () => {
    const [first, second, third] = [someKey(1), someKey(2), someKey(3)];
    await store.create('a', first);
    await store.create('b', first);
    await store.rewrap([
      { name: 'a', from: first, to: second },
      { name: 'b', from: { ...someKey(), kek: 1 }, to: second },
      { name: 'never there', from: first, to: second },
    ]);
    expect(await other.read('a')).toEqual(active(second));
    expect(await other.read('b')).toEqual(active(first));
    expect(await other.read('never there')).toBeNull();
    await other.rewrap([{ name: 'a', from: first, to: third }]);
    await other.rewrap([{ name: 'a', from: { ...second, kek: 7 }, to: third }]);
    expect(await store.read('a')).toEqual(active(second));
    await other.rewrap([{ name: 'a', from: second, to: third }]);
    expect(await store.read('a')).toEqual(active(third));
    const atHand = store.readAtHand('a');
    if (atHand !== undefined) expect(atHand).toEqual(active(third));
  });

  it('gives its records page by page', async () => {
    const names = ['p1', 'p2', 'r1', 'system-secret'];
    for (const name of names) await store.create(name, someKey());
    await store.destroy('p2', 5);
    const walked: (readonly [string, { kind: string }])[] = [];
    for (let after: string | null = null; ; after = walked.at(-1)?.[0] ?? null) {
      const page = await other.page(after, 2);
      walked.push(...page);
      if (page.length < 2) break;
    }
    expect(walked.map(([name, { kind }]) => [name, kind])).toEqual([
      ['p1', 'active'],
      ['p2', 'destroyed'],
      ['r1', 'active'],
      ['system-secret', 'active'],
    ]);
  });

  it('lets one of many replace a note', async () => {
    expect(await store.note('n')).toBeNull();
    const one = async (from: string | null): Promise<string> => {
      const replaced = await Promise.all(
        ['a', 'b', 'c'].map((to, index) => (index === 1 ? store : other).replaceNote('n', from, to + from)),
      );
      expect(replaced.filter((done) => done)).toHaveLength(1);
      return ['a', 'b', 'c'][replaced.indexOf(true)] + String(from);
    };
    const first = await one(null);
    expect(await store.note('n')).toBe(first);
    const second = await one(first);
    expect(await other.note('n')).toBe(second);
    expect(await store.replaceNote('n', first, 'late')).toBe(false);
  });
};
