import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedTestMongo } from '@app/testing';
import { keyIdOf } from './key-id';
import { openKeyRing, type KeyRingPlace } from './open.key-ring';
import type { StoredKeyRing } from './stored.key-ring';

const CONTACTS = 120;

const contactOf = (index: number): string => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
const printOf = async (keyRing: StoredKeyRing, index: number): Promise<string> =>
  (await keyRing.keyForSealing(contactOf(index), 'personal')).subKey('profile').export().toString('hex');

/** Runs code on `ring` in a process of its own, which says a line for each thing it has done. */
const elsewhere = (place: KeyRingPlace, code: string): ChildProcess =>
  spawn(
    process.execPath,
    [
      '-r',
      '@swc-node/register',
      '-e',
      `const { openKeyRing } = require(${JSON.stringify(join(__dirname, 'open.key-ring.ts'))});
       const contactOf = ${contactOf.toString()};
       openKeyRing(${JSON.stringify(place)}).then(async (ring) => {
         const say = (line) => process.stdout.write(line + '\\n');
         say('open');
         ${code}
         await ring.close();
       }).catch((error) => { console.error(error); process.exit(1); });`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );

/** The lines it says until it ends or has said `max` of them, when it is killed. */
const linesOf = async (child: ChildProcess, max = Infinity): Promise<string[]> => {
  const ended = once(child, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout! })) {
    // What it says after it was killed was said before.
    if (lines.length < max) lines.push(line);
    if (lines.length === max) child.kill('SIGKILL');
  }
  await ended;
  return lines;
};

const stores: [string, () => Promise<Readonly<{ place: KeyRingPlace; close: () => Promise<void> }>>][] = [
  [
    'a folder',
    async () => {
      const keysDir = await mkdtemp(join(tmpdir(), 'regulars-keys-'));
      return { place: { keysDir }, close: () => rm(keysDir, { recursive: true, force: true }) };
    },
  ],
  [
    'a MongoDB',
    async () => {
      const keysDir = await mkdtemp(join(tmpdir(), 'regulars-keys-'));
      const server = await startEmbeddedTestMongo();
      return {
        place: { keysDir, keyringUrl: server.url },
        close: async () => {
          await server.close();
          await rm(keysDir, { recursive: true, force: true });
        },
      };
    },
  ],
];

describe.each(stores)('a key ring in %s, while processes are killed', (_, open) => {
  let place: KeyRingPlace;
  let close: () => Promise<void>;

  beforeEach(async () => void ({ place, close } = await open()));
  afterEach(() => close());

  it('keeps every key that was given out, and agrees on it with others', async () => {
    const given = new Map<number, string>();
    const sealing = `
      for (let from = 0; from < ${CONTACTS}; from += 10)
        await Promise.all(Array.from({ length: 10 }, async (_, at) => {
          const key = await ring.keyForSealing(contactOf(from + at), 'personal');
          say(from + at + ' ' + key.subKey('profile').export().toString('hex'));
        }));`;
    // Two at once, one of which is killed in the middle of it.
    const all = await Promise.all([
      linesOf(elsewhere(place, sealing), 40),
      linesOf(elsewhere(place, sealing)),
    ]);
    expect(all.map(({ length }) => length)).toEqual([40, CONTACTS + 1]);
    for (const line of all.flat()) {
      if (line === 'open') continue;
      const [index, key] = line.split(' ') as [string, string];
      expect(given.get(Number(index)) ?? key).toBe(key);
      given.set(Number(index), key);
    }
    const keyRing = await openKeyRing(place);
    for (const [index, key] of given) expect(await printOf(keyRing, index)).toBe(key);
    await keyRing.close();
  });

  it('goes on with a rotation that was killed in the middle, while another process seals, opens and destroys', async () => {
    const keyRing = await openKeyRing(place);
    const keys = await Promise.all(Array.from({ length: CONTACTS }, (_, index) => printOf(keyRing, index)));
    const gone = new Set<number>();
    const rotating = `
      for (const store of [ring.keeper.store]) {
        const rewrap = store.rewrap.bind(store);
        store.rewrap = async (changes) => { for (const change of changes) { await rewrap([change]); say('one'); } };
      }
      await ring.keeper.rotate();`;
    for (const killedAt of [1, 40]) {
      const child = elsewhere(place, rotating);
      const lines = linesOf(child, killedAt);
      // Meanwhile everything goes on here.
      for (let step = 0; child.exitCode === null && child.signalCode === null; step += 1) {
        const index = (step * 7) % CONTACTS;
        if (gone.has(index)) continue;
        if (step % 50 === 49) {
          gone.add(index);
          await keyRing.destroy(contactOf(index), 'personal');
        } else expect(await printOf(keyRing, index)).toBe(keys[index]);
        await new Promise(setImmediate);
      }
      expect(await lines).toHaveLength(killedAt);
    }
    const { versions } = await keyRing.keeper.figures();
    expect(versions.map(({ state }) => state)).toEqual(['old', 'current']);
    expect(versions[0]?.wraps).toBeGreaterThan(0);
    expect(await linesOf(elsewhere(place, 'await ring.keeper.rotate(); say("done");'))).toContain('done');
    await keyRing.close();

    const again = await openKeyRing(place);
    const after = await again.keeper.figures();
    expect(after).toMatchObject({ active: CONTACTS - gone.size, destroyed: gone.size });
    expect(after.versions.map(({ state, wraps }) => [state, wraps])).toEqual([
      ['retired', 0],
      ['current', CONTACTS - gone.size + 1],
    ]);
    for (const [index, key] of keys.entries()) {
      const lookup = await again.keyForOpening(keyIdOf(contactOf(index), 'personal'));
      if (gone.has(index)) expect(lookup.kind).toBe('destroyed');
      else expect(await printOf(again, index)).toBe(key);
    }
    expect((await readdir(place.keysDir)).filter((name) => name.endsWith('.key'))).toHaveLength(1);
    await again.close();
  });
});
