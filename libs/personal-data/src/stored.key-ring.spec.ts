import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { KeyEncryptionKeys } from './key-encryption-keys';
import { keyIdOf } from './key-id';
import { KeyDestroyedError, KeyRingUnavailableError } from './key-ring.errors';
import type { DestroyedKey, KeyLookup } from './key-ring.port';
import { MemoryKeyStore, MemoryRecords } from './memory.key-store.suite';
import { StoredKeyRing, type KeyRingOptions } from './stored.key-ring';

const printOf = (lookup: KeyLookup | undefined): string =>
  lookup?.kind === 'active' ? lookup.key.subKey('profile').export().toString('hex') : String(lookup?.kind);

const openOn = (store: MemoryKeyStore, options: KeyRingOptions = {}): Promise<StoredKeyRing> =>
  StoredKeyRing.over(store, new KeyEncryptionKeys(store, store.shared.masterKeys(), null), options);

const sealing = async (keyRing: StoredKeyRing, contactId: string): Promise<string> =>
  printOf({ kind: 'active', key: await keyRing.keyForSealing(contactId, 'personal') });

const opening = async (keyRing: StoredKeyRing, contactId: string): Promise<string> =>
  printOf(await keyRing.keyForOpening(keyIdOf(contactId, 'personal')));

type KilledAfter = Readonly<{ creator: number; rotator: number }>;
type Task = Readonly<{ act: () => Promise<unknown>; stepsMax?: number }>;
/** One task goes on for so many steps while the others stand still. */
type Burst = Readonly<{ task: number; steps: number }>;

const RUNS = 40;

/** Lets one step of one task after another happen, in an order that is given. */
class Tasks {
  private readonly current = new AsyncLocalStorage<number>();
  private readonly held = new Map<number, (() => void)[]>();
  private readonly stepCounts = new Map<number, number>();
  private tasks: readonly Task[] = [];

  constructor(private readonly bursts: Iterator<Burst>) {}

  /** To be awaited before whatever other tasks can see. */
  async step(): Promise<void> {
    const task = this.current.getStore();
    if (task === undefined) return;
    const count = (this.stepCounts.get(task) ?? 0) + 1;
    this.stepCounts.set(task, count);
    await new Promise<void>((go) => {
      // What is killed is never heard of again.
      if (count <= (this.tasks[task]?.stepsMax ?? Infinity))
        this.held.set(task, [...(this.held.get(task) ?? []), go]);
    });
  }

  /** Until all have ended but those that are killed. Throws what the first one throws. */
  async run(tasks: readonly Task[]): Promise<void> {
    this.tasks = tasks;
    const failed: unknown[] = [];
    for (const [index, { act }] of tasks.entries())
      void this.current.run(index, () => act().catch((error: unknown) => failed.push(error)));
    for (;;) {
      await new Promise(setImmediate);
      if (failed.length > 0) throw failed[0];
      const waiting = [...this.held.keys()];
      if (waiting.length === 0) return;
      const { task, steps } = this.bursts.next().value as Burst;
      const chosen = waiting[task % waiting.length] as number;
      for (let step = 0; step < steps && this.held.has(chosen); step += 1) {
        const [go, ...more] = this.held.get(chosen) ?? [];
        if (more.length > 0) this.held.set(chosen, more);
        else this.held.delete(chosen);
        go?.();
        await new Promise(setImmediate);
      }
    }
  }
}

describe('StoredKeyRing', () => {
  describe('under every order in which the calls of several processes can meet', () => {
    const contacts = Array.from({ length: 3 }, () => randomUUID()) as [string, string, string];

    const run = async (bursts: Iterator<Burst>, killedAfter: KilledAfter): Promise<void> => {
      const shared = new MemoryRecords();
      const tasks = new Tasks(bursts);
      const process = (): Promise<StoredKeyRing> => openOn(new MemoryKeyStore(shared, () => tasks.step()));
      const given = new Map<string, Set<string>>(contacts.map((contact) => [contact, new Set()]));
      const seal = async (keyRing: StoredKeyRing, contact: string): Promise<void> => {
        const key = await sealing(keyRing, contact).catch((error: unknown) => {
          if (error instanceof KeyDestroyedError) return 'destroyed';
          throw error;
        });
        given.get(contact)?.add(key);
      };

      const [one, two, rotator, other] = [await process(), await process(), await process(), await process()];
      await seal(one, contacts[1]);
      await tasks.run([
        { act: () => seal(other, contacts[0]), stepsMax: killedAfter.creator },
        { act: () => other.keeper.rotate(), stepsMax: killedAfter.rotator },
        { act: () => seal(one, contacts[0]) },
        { act: () => seal(two, contacts[0]) },
        { act: () => seal(two, contacts[1]) },
        { act: () => seal(one, contacts[2]) },
        { act: () => opening(one, contacts[2]) },
        {
          act: async () => {
            await two.destroy(contacts[2], 'personal');
            // Destroyed is final, also for who knew it before.
            await expect(two.keyForSealing(contacts[2], 'personal')).rejects.toThrow(KeyDestroyedError);
            await expect(one.keyForSealing(contacts[2], 'personal')).rejects.toThrow(KeyDestroyedError);
          },
        },
        { act: () => rotator.keeper.rotate().then(() => rotator.keeper.rotate()) },
      ]);
      for (const keyRing of [one, two]) expect(await opening(keyRing, contacts[2])).toBe('destroyed');
      const late = await process();
      await late.keeper.rotate();
      const { version } = (await late.keeper.figures()).versions.at(-1) ?? {};
      for (const [name, record] of shared.records) {
        // Of a key that came to no use because its creator was killed, nobody says that it can be read.
        const wasGiven = contacts.some((contact) => name === keyIdOf(contact, 'personal'));
        if (wasGiven && record.kind === 'active') expect(record.kek).toBe(version);
      }
      expect([...shared.files.keys()]).toEqual([version]);
      for (const keyRing of [one, two, await process()]) {
        for (const contact of contacts.slice(0, 2)) {
          given.get(contact)?.add(await sealing(keyRing, contact));
          given.get(contact)?.add(await opening(keyRing, contact));
        }
        expect(await opening(keyRing, contacts[2])).toBe('destroyed');
      }
      // One key a contact, whoever asked for it whenever.
      expect(given.get(contacts[0])?.size).toBe(1);
      expect(given.get(contacts[1])?.size).toBe(1);
      expect([...(given.get(contacts[2]) ?? [])].filter((key) => key !== 'destroyed').length).toBeLessThan(2);
    };

    it(
      'gives out one key a contact, through rotations and kills, and none that was destroyed',
      () =>
        fc.assert(
          fc.asyncProperty(
            fc.infiniteStream(fc.record({ task: fc.nat(8), steps: fc.integer({ min: 1, max: 25 }) })),
            fc.record({ creator: fc.nat(16), rotator: fc.nat(40) }),
            run,
          ),
          { numRuns: RUNS },
        ),
      30_000,
    );
  });

  it('replaces a key that a killed process left under a version retired since: nothing was sealed with it', async () => {
    const shared = new MemoryRecords();
    const keyRing = await openOn(new MemoryKeyStore(shared));
    const contact = randomUUID();
    const keyId = keyIdOf(contact, 'personal');
    await sealing(keyRing, contact);
    const left = shared.records.get(keyId);
    shared.records.delete(keyId);
    await keyRing.keeper.rotate();
    if (left) shared.records.set(keyId, left);
    const other = await openOn(new MemoryKeyStore(shared));
    await expect(other.keyForOpening(keyId)).rejects.toThrow(KeyRingUnavailableError);
    const key = await sealing(other, contact);
    expect(await opening(other, contact)).toBe(key);
    expect(await opening(await openOn(new MemoryKeyStore(shared)), contact)).toBe(key);
  });

  it('goes on from its cache while the store is away, for as long as it may, and then gives nothing', async () => {
    const store = new MemoryKeyStore(new MemoryRecords());
    store.unnoticedMs = { sealing: 60_000, opening: 60_000 };
    const keyRing = await openOn(store);
    const contact = randomUUID();
    const keyId = keyIdOf(contact, 'personal');
    expect(keyRing.keyAtHand(keyId)).toBeUndefined();
    const key = await sealing(keyRing, contact);
    store.isDown = true;
    const { callCount } = store;
    expect(printOf(keyRing.keyAtHand(keyId))).toBe(key);
    expect(await opening(keyRing, contact)).toBe(key);
    expect(await sealing(keyRing, contact)).toBe(key);
    expect(store.callCount).toBe(callCount);
    // What it does not have at hand is unavailable: neither missing nor destroyed.
    await expect(keyRing.keyForOpening(keyIdOf(contact, 'retained'))).rejects.toThrow(
      KeyRingUnavailableError,
    );
    store.unnoticedMs = { sealing: 0, opening: 0 };
    expect(keyRing.keyAtHand(keyId)).toBeUndefined();
    await expect(keyRing.keyForOpening(keyId)).rejects.toThrow(KeyRingUnavailableError);
    await expect(keyRing.keyForSealing(contact, 'personal')).rejects.toThrow(KeyRingUnavailableError);
    await expect(keyRing.destroy(contact, 'personal')).rejects.toThrow(KeyRingUnavailableError);
    store.isDown = false;
    expect(await opening(keyRing, contact)).toBe(key);
  });

  it('forgets only what was destroyed', async () => {
    const shared = new MemoryRecords();
    const [store, other] = [new MemoryKeyStore(shared), new MemoryKeyStore(shared)];
    const [keyRing, elsewhere] = [await openOn(store), await openOn(other)];
    const contacts = Array.from({ length: 5 }, () => randomUUID());
    for (const contact of contacts) await sealing(keyRing, contact);
    await elsewhere.destroy(contacts[0] as string, 'personal');
    await opening(keyRing, contacts[1] as string);
    const { callCount } = store;
    store.unnoticedMs = { sealing: 60_000, opening: 60_000 };
    for (const contact of contacts.slice(1)) await opening(keyRing, contact);
    expect(store.callCount).toBe(callCount);
    expect(await opening(keyRing, contacts[0] as string)).toBe('destroyed');
  });

  it('does not keep what it read of a key before it heard that it was destroyed', async () => {
    const shared = new MemoryRecords();
    const store = new MemoryKeyStore(shared);
    const [keyRing, elsewhere] = [await openOn(store), await openOn(new MemoryKeyStore(shared))];
    const contact = randomUUID();
    await sealing(elsewhere, contact);
    const read = store.read.bind(store);
    let release: () => void = () => undefined;
    const reached = new Promise<void>((isReached) => {
      store.read = async (name) => {
        const record = await read(name);
        await new Promise<void>((go) => {
          release = go;
          isReached();
        });
        return record;
      };
    });
    const early = keyRing.keyForOpening(keyIdOf(contact, 'personal'));
    await reached;
    store.read = read;
    await elsewhere.destroy(contact, 'personal');
    await opening(keyRing, randomUUID());
    release();
    await early;
    store.unnoticedMs = { sealing: 60_000, opening: 60_000 };
    expect(await opening(keyRing, contact)).toBe('destroyed');
  });

  it('retires nothing that a later rotation still leads away from', async () => {
    const shared = new MemoryRecords();
    const keyRing = await openOn(new MemoryKeyStore(shared));
    const contact = randomUUID();
    const key = await sealing(keyRing, contact);
    const keks = async (): Promise<KeyEncryptionKeys> => {
      const versions = new KeyEncryptionKeys(new MemoryKeyStore(shared), shared.masterKeys(), null);
      await versions.open();
      return versions;
    };
    const [slow, next] = [await keks(), await keks()];
    await slow.begin();
    await keyRing.keeper.rotate();
    await next.begin();
    // All is under version 2 still, which is the old one now.
    await slow.retireOld(2);
    expect([...shared.files.keys()]).toEqual([2, 3]);
    expect(await sealing(await openOn(new MemoryKeyStore(shared)), contact)).toBe(key);
  });

  it('prints no key', async () => {
    const shared = new MemoryRecords();
    const keyRing = await openOn(new MemoryKeyStore(shared));
    const key = await keyRing.keyForSealing(randomUUID(), 'personal');
    // Without what the store holds, which is wrapped.
    const printed = inspect([key, keyRing.secrets], { depth: 20, showHidden: true }) + JSON.stringify(key);
    expect(printed).not.toMatch(/Buffer|<[0-9a-f]{2} /);
  });

  describe('after an older copy was restored', () => {
    const at = '2026-03-01T10:00:00.000Z';

    /** The log: what was destroyed at which position. */
    class Log {
      readonly events: [bigint, DestroyedKey][] = [];
      readCount = 0;
      head = 0n;

      destroyed(contactId: string): void {
        this.head += 10n;
        this.events.push([this.head, { keyId: keyIdOf(contactId, 'personal'), at }]);
      }

      async *from(after: bigint | null): AsyncGenerator<DestroyedKey> {
        for (const [position, event] of this.events) {
          if (after !== null && position <= after) continue;
          this.readCount += 1;
          yield event;
        }
      }
    }

    const replay = async (keyRing: StoredKeyRing, log: Log): Promise<number> =>
      keyRing.replayDestroyed(log.from(await keyRing.destroyedUpTo()), log.head);

    it('gives nothing before the log was replayed, then nothing of what was destroyed since the copy', async () => {
      const log = new Log();
      let shared = new MemoryRecords();
      const contacts = Array.from({ length: 6 }, () => randomUUID());
      const erase = async (keyRing: StoredKeyRing, contact: string): Promise<void> => {
        await keyRing.destroy(contact, 'personal');
        log.destroyed(contact);
      };
      const first = await openOn(new MemoryKeyStore(shared), { awaitsReplay: true });
      expect(first.isOpen).toBe(false);
      expect(await replay(first, log)).toBe(0);
      const keys = await Promise.all(contacts.map((contact) => sealing(first, contact)));
      await erase(first, contacts[0] as string);
      // A start in between notes how far the log was heard.
      const second = await openOn(new MemoryKeyStore(shared), { awaitsReplay: true });
      expect(await replay(second, log)).toBe(0);
      expect(await second.destroyedUpTo()).toBe(10n);
      const backup = shared.copy();
      await erase(second, contacts[1] as string);
      await erase(second, contacts[2] as string);
      const third = await openOn(new MemoryKeyStore(shared), { awaitsReplay: true });
      await replay(third, log);
      expect(await third.destroyedUpTo()).toBe(30n);

      shared = backup;
      const restored = await openOn(new MemoryKeyStore(shared), { awaitsReplay: true });
      expect(restored.keyAtHand(keyIdOf(contacts[1] as string, 'personal'))).toBeUndefined();
      log.readCount = 0;
      expect(await replay(restored, log)).toBe(2);
      // The copy knows how far it had heard: it went on from there.
      expect(log.readCount).toBe(2);
      for (const index of [0, 1, 2])
        expect(await opening(restored, contacts[index] as string)).toBe('destroyed');
      for (const index of [3, 4, 5])
        expect(await opening(restored, contacts[index] as string)).toBe(keys[index]);
      expect(await restored.keyForOpening(keyIdOf(contacts[1] as string, 'personal'))).toEqual({
        kind: 'destroyed',
        at,
      });
      log.readCount = 0;
      expect(await replay(await openOn(new MemoryKeyStore(shared), { awaitsReplay: true }), log)).toBe(0);
      expect(log.readCount).toBe(0);
    });

    it('fails closed where the log cannot be heard to its end', async () => {
      jest.useFakeTimers();
      try {
        const keyRing = await openOn(new MemoryKeyStore(new MemoryRecords()), { awaitsReplay: true });
        const contact = randomUUID();
        const broken = async function* (): AsyncGenerator<DestroyedKey> {
          yield { keyId: keyIdOf(contact, 'personal'), at };
          throw new Error('cut');
        };
        await expect(keyRing.replayDestroyed(broken(), 10n)).rejects.toThrow('cut');
        expect(await keyRing.destroyedUpTo()).toBeNull();
        const waiting = [
          keyRing.keyForSealing(randomUUID(), 'personal'),
          keyRing.keyForOpening(keyIdOf(contact, 'personal')),
        ].map((asked) => asked.catch((error: unknown) => error));
        await jest.advanceTimersByTimeAsync(10_000);
        for (const answer of waiting) expect(await answer).toBeInstanceOf(KeyRingUnavailableError);
        expect(keyRing.isOpen).toBe(false);
      } finally {
        jest.useRealTimers();
      }
    });

    it('lets those who wait go on as soon as the replay is done', async () => {
      const keyRing = await openOn(new MemoryKeyStore(new MemoryRecords()), { awaitsReplay: true });
      const asked = keyRing.keyForSealing(randomUUID(), 'personal');
      await keyRing.replayDestroyed(new Log().from(null), null);
      expect((await asked).id).toHaveLength(23);
    });

    it('notices it while running, and shuts until it is replayed', async () => {
      const log = new Log();
      const store = new MemoryKeyStore(new MemoryRecords());
      const keyRing = await openOn(store);
      const [gone, kept] = [randomUUID(), randomUUID()];
      await sealing(keyRing, gone);
      const key = await sealing(keyRing, kept);
      const backup = store.shared.copy();
      await keyRing.destroy(gone, 'personal');
      log.destroyed(gone);
      store.shared = backup;
      await expect(keyRing.keyForOpening(keyIdOf(gone, 'personal'))).rejects.toThrow(KeyRingUnavailableError);
      expect(keyRing.isOpen).toBe(false);
      expect(await replay(keyRing, log)).toBe(1);
      expect(await opening(keyRing, gone)).toBe('destroyed');
      expect(await opening(keyRing, kept)).toBe(key);
    });
  });
});
