import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { DataKey } from './data-key';
import type { KeyEncryptionKeys } from './key-encryption-keys';
import { isKeyId, keyIdOf } from './key-id';
import { KeyDestroyedError, KeyRingSetupError, KeyRingUnavailableError } from './key-ring.errors';
import { KeyRingKeeper } from './key-ring.keeper';
import { KeyRing, type DestroyedKey, type KeyClass, type KeyLookup } from './key-ring.port';
import type { KeyRecord, KeyStore, Tombstone } from './key-store.port';
import { KEY_SIZE } from './key-wrapping';
import { ReplayGate } from './replay-gate';
import { DerivedSecrets, Secrets } from './secrets';

/** Not a key id: those are 23 characters. */
const SYSTEM_SECRET = 'system-secret';
/** An entry weighs about half a kilobyte with its sub-keys, so about 25 MB. */
const CACHED_KEYS_MAX = 50_000;
const TOMBSTONES_A_PAGE = 1_000;
const CREATE_TRIES_MAX = 10;
const LISTEN_TRIES_MAX = 3;
const READ_TRIES_MAX = 5;
const REPLAYED_TO = 'replayed-to';

export type KeyRingOptions = Readonly<{
  cachedKeysMax?: number;
  /** Nothing is opened or sealed before `replayDestroyed` was heard to its end; false where there is no log. */
  awaitsReplay?: boolean;
}>;

/**
 * The key ring over a store of wrapped keys. What it opened it keeps in a bounded cache; it believes the cache for as long
 * as it knows the list of destroyed keys to its end, and asks no later than the store's `unnoticedMs`. Where it cannot ask,
 * it gives out nothing.
 */
export class StoredKeyRing extends KeyRing {
  private readonly cache: LRUCache<string, KeyLookup>;
  private readonly gate: ReplayGate;
  private secretsOpened: Secrets | undefined;
  /** Up to where the list of destroyed keys was heard. */
  private heardTo = 0;
  private heardAt = -Infinity;
  private listening: Promise<void> | undefined;

  protected constructor(
    private readonly store: KeyStore,
    private readonly keks: KeyEncryptionKeys,
    options: KeyRingOptions,
  ) {
    super();
    this.cache = new LRUCache({ max: options.cachedKeysMax ?? CACHED_KEYS_MAX });
    this.gate = new ReplayGate(options.awaitsReplay ?? false);
  }

  /**
   * Closes the store where it fails. Throws KeyRingSetupError, KeyServiceError (one line for people both) and
   * KeyRingUnavailableError.
   */
  static async over(
    store: KeyStore,
    keks: KeyEncryptionKeys,
    options: KeyRingOptions = {},
  ): Promise<StoredKeyRing> {
    try {
      const keyRing = new StoredKeyRing(store, keks, options);
      await keyRing.start();
      return keyRing;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  get secrets(): Secrets {
    return this.secretsOpened as Secrets;
  }

  async keyForSealing(contactId: string, keyClass: KeyClass): Promise<DataKey> {
    const keyId = keyIdOf(contactId, keyClass);
    await this.gate.passed();
    await this.listen(this.store.unnoticedMs.sealing);
    let found = this.cache.get(keyId);
    if (found === undefined) {
      const heardTo = this.heardTo;
      found = await this.lookup(keyId, await this.settle(keyId, await this.store.read(keyId)));
      this.keep(keyId, found, heardTo);
    }
    if (found.kind === 'active') return found.key;
    throw new KeyDestroyedError();
  }

  async keyForOpening(keyId: string): Promise<KeyLookup> {
    await this.gate.passed();
    await this.listen(this.store.unnoticedMs.opening);
    const cached = this.cache.get(keyId);
    if (cached !== undefined) return cached;
    const heardTo = this.heardTo;
    const lookup = await this.lookup(keyId, await this.store.read(keyId));
    this.keep(keyId, lookup, heardTo);
    return lookup;
  }

  override keyAtHand(keyId: string): KeyLookup | undefined {
    if (!this.gate.isOpen || !this.hasListened(performance.now() - this.store.unnoticedMs.opening))
      return undefined;
    const cached = this.cache.get(keyId);
    if (cached !== undefined) return cached;
    const record = this.store.readAtHand(keyId);
    if (record === undefined) return undefined;
    const lookup = this.lookupAtHand(keyId, record);
    if (lookup !== undefined) this.keep(keyId, lookup, this.heardTo);
    return lookup;
  }

  async destroy(contactId: string, keyClass: KeyClass): Promise<DestroyedKey> {
    return this.destroyAt(keyIdOf(contactId, keyClass), Date.now());
  }

  /**
   * Log position up to which `replayDestroyed` has heard the log, by whatever process; null: never. It is kept in the key
   * ring, so a key ring restored from an older copy has an older one.
   */
  async destroyedUpTo(): Promise<bigint | null> {
    const note = await this.store.note(REPLAYED_TO);
    return note === null ? null : BigInt(note);
  }

  /**
   * Destroys what the log says was destroyed, and then lets the key ring be used: `events` are those behind
   * `destroyedUpTo` up to `upTo`, which is the log's head. Safe to repeat. Resolves to how many keys were still there; any
   * means that this key ring was restored from an older copy.
   */
  async replayDestroyed(events: AsyncIterable<DestroyedKey>, upTo: bigint | null): Promise<number> {
    // All of it may be another copy than the one this process has seen.
    await this.keks.open();
    this.cache.clear();
    this.heardTo = await this.store.newestTombstone();
    let count = 0;
    for await (const { keyId, at } of events) {
      if (!isKeyId(keyId)) throw new TypeError('The log tells of a destroyed key whose id is none.');
      if ((await this.store.read(keyId))?.kind === 'destroyed') continue;
      await this.destroyAt(keyId, Date.parse(at));
      count += 1;
    }
    if (upTo !== null) {
      const before = await this.store.note(REPLAYED_TO);
      // Where another process was faster, its position will do.
      await this.store.replaceNote(REPLAYED_TO, before, String(upTo));
    }
    this.gate.open();
    return count;
  }

  /** False while `replayDestroyed` is awaited: nothing is sealed or opened. */
  get isOpen(): boolean {
    return this.gate.isOpen;
  }

  /** Whether keys can be given out: a replay was heard (or is within a few seconds), and the store answers. */
  async isAvailable(): Promise<boolean> {
    try {
      await this.gate.passed();
      await this.listen(0);
      return true;
    } catch (error) {
      if (error instanceof KeyRingUnavailableError) return false;
      throw error;
    }
  }

  /** For the operator: figures, and rotation of the key-encryption key. */
  get keeper(): KeyRingKeeper {
    return new KeyRingKeeper(this.store, this.keks);
  }

  /** Waits for writes under way. Nothing works afterwards. */
  async close(): Promise<void> {
    this.cache.clear();
    await this.store.close();
  }

  private async start(): Promise<void> {
    await this.keks.open();
    this.heardTo = await this.store.newestTombstone();
    this.heardAt = performance.now();
    const stored = await this.store.read(SYSTEM_SECRET);
    const record = stored ?? (await this.settle(SYSTEM_SECRET, null));
    try {
      if (record.kind !== 'active') throw new Error('The system secret is not there.');
      this.secretsOpened = new DerivedSecrets(await this.keks.unwrap(SYSTEM_SECRET, record));
    } catch (error) {
      throw new KeyRingSetupError('The key-encryption key is not the one that the keys were wrapped with.', {
        cause: error,
      });
    }
  }

  private async destroyAt(keyId: string, at: number): Promise<DestroyedKey> {
    const first = new Date(await this.store.destroy(keyId, at)).toISOString();
    // Hearing of it also keeps out what was read of the key before.
    await this.listen(0);
    this.cache.set(keyId, { kind: 'destroyed', at: first });
    return { keyId, at: first };
  }

  /**
   * A record that values may be sealed under: its version of the key-encryption key was the current one after the record
   * was durable. A rotation looks for records of the old version after it said which is the new one; so it finds what
   * was stored before, and whoever stored later, or found such a record, sees the new version here and wraps anew.
   */
  private async settle(name: string, found: KeyRecord | null): Promise<KeyRecord> {
    let record = found ?? (await this.store.create(name, this.keks.wrap(name, randomBytes(KEY_SIZE))));
    for (let attempt = 0; attempt < CREATE_TRIES_MAX; attempt += 1) {
      if (record.kind === 'destroyed') return record;
      await this.keks.refresh();
      if (record.kek === this.keks.current().version) return record;
      // Under a version that was retired before it was read, it never came to use: its creator was killed before this point.
      const key = this.keks.isRetired(record.kek)
        ? randomBytes(KEY_SIZE)
        : await this.keks.unwrapUnlessRetired(name, record);
      if (key !== null) await this.store.rewrap([{ name, from: record, to: this.keks.wrap(name, key) }]);
      const stored = await this.store.read(name);
      if (stored === null) break;
      record = stored;
    }
    throw new KeyRingUnavailableError(new Error('A key just created does not come to rest.'));
  }

  private async lookup(keyId: string, found: KeyRecord | null): Promise<KeyLookup> {
    let record = found;
    for (let attempt = 0; attempt < READ_TRIES_MAX; attempt += 1) {
      if (record?.kind !== 'active') return lookupWithout(record);
      const key = await this.keks.unwrapUnlessRetired(keyId, record);
      if (key !== null) return active(keyId, key);
      // A rotation has wrapped it anew and retired the version since it was read.
      record = await this.store.read(keyId);
    }
    throw new KeyRingUnavailableError(new Error('A key is under a retired version.'));
  }

  private lookupAtHand(keyId: string, record: KeyRecord | null): KeyLookup | undefined {
    if (record?.kind !== 'active') return lookupWithout(record);
    const key = this.keks.unwrapAtHand(keyId, record);
    return key && active(keyId, key);
  }

  private keep(keyId: string, lookup: KeyLookup, heardTo: number): void {
    // A missing key may be created by another process at any time; and what was read before a destruction that was heard
    // meanwhile may be the key that it destroyed.
    if (lookup.kind !== 'missing' && heardTo === this.heardTo) this.cache.set(keyId, lookup);
  }

  /** Whether the list of destroyed keys was heard to its end since then, or could be heard without waiting. */
  private hasListened(since: number): boolean {
    if (this.heardAt >= since) return true;
    const startedAt = performance.now();
    for (;;) {
      const page = this.store.tombstonesAtHand(this.fromSeq(), TOMBSTONES_A_PAGE);
      if (page === undefined) return false;
      if (this.hear(page, startedAt)) return true;
    }
  }

  private async listen(withinMs: number): Promise<void> {
    const since = performance.now() - withinMs;
    for (let attempt = 0; attempt < LISTEN_TRIES_MAX; attempt += 1) {
      if (this.hasListened(since)) return;
      this.listening ??= this.hearAll().finally(() => (this.listening = undefined));
      await this.listening;
    }
    if (!this.hasListened(since))
      throw new KeyRingUnavailableError(new Error('The list of destroyed keys takes too long to read.'));
  }

  private async hearAll(): Promise<void> {
    const startedAt = performance.now();
    while (!this.hear(await this.store.tombstones(this.fromSeq(), TOMBSTONES_A_PAGE), startedAt));
  }

  /** The last one heard is asked for again: where it is not there, this is not the key ring it was. */
  private fromSeq(): number {
    return Math.max(this.heardTo, 1);
  }

  /** True where the page was the last one. */
  private hear(page: readonly Tombstone[], startedAt: number): boolean {
    if (this.heardTo > 0 && page[0]?.seq !== this.heardTo) {
      const error = new Error('The key ring was replaced by an older one; start this process again.');
      this.gate.shut(error);
      throw new KeyRingUnavailableError(error);
    }
    for (const { seq, name } of page) {
      if (seq <= this.heardTo) continue;
      this.cache.delete(name);
      this.heardTo = seq;
    }
    if (page.length === TOMBSTONES_A_PAGE) return false;
    this.heardAt = startedAt;
    return true;
  }
}

const lookupWithout = (record: Exclude<KeyRecord, { kind: 'active' }> | null): KeyLookup =>
  record === null ? { kind: 'missing' } : { kind: 'destroyed', at: new Date(record.at).toISOString() };

const active = (keyId: string, key: Buffer): KeyLookup => ({ kind: 'active', key: new DataKey(keyId, key) });
