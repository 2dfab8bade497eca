import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { LRUCache } from 'lru-cache';
import { DataKey } from './data-key';
import { keyIdOf } from './key-id';
import { KeyDestroyedError, KeyRingFolderError, KeyRingUnavailableError } from './key-ring.errors';
import { KeyRing, type DestroyedKey, type KeyClass, type KeyLookup } from './key-ring.port';
import { unwrap, wrap } from './key-wrapping';
import { createMasterKey, readMasterKey } from './master-key.file';
import { DerivedSecrets, type Secrets } from './secrets';

const KEY_SIZE = 32;
const ACTIVE = 1;
const DESTROYED = 2;
/** Neither is a key id: those are 23 characters. */
const SYSTEM_SECRET = 'system-secret';
const GENERATION = 'generation';
/** For how long a key may still open values after another process destroyed it. */
const OPENING_CHECK_MS = 1_000;
/** The same for sealing. What is sealed with a destroyed key is lost, not revealed: this is about telling the caller. */
const SEALING_CHECK_MS = 10;
/** An entry weighs about half a kilobyte with its sub-keys, so about 25 MB. */
const CACHED_KEYS_MAX = 50_000;
/** Address space, not memory or disk: about a hundred million records. */
const MAP_SIZE = 2 ** 35;

export type LocalKeyRingOptions = Readonly<{ cachedKeysMax?: number }>;

/**
 * A key ring in a folder of this machine, shared by all processes on it: `master.key` (the key-encryption key) and an
 * LMDB file of wrapped keys. Creation is compare-and-set in a write transaction, and committed to disk before it is
 * visible. A generation number, raised by every destruction, tells the other processes to forget what they cached.
 */
export class LocalKeyRing extends KeyRing {
  private readonly cache: LRUCache<string, KeyLookup>;
  private generation: number;
  private generationCheckedAt = performance.now();

  private constructor(
    private readonly records: RootDatabase<Buffer, string>,
    private readonly keyEncryptionKey: Buffer,
    readonly secrets: Secrets,
    options: LocalKeyRingOptions,
  ) {
    super();
    this.cache = new LRUCache({ max: options.cachedKeysMax ?? CACHED_KEYS_MAX });
    this.generation = this.storedGeneration();
  }

  /** Opens the folder, created where it is missing. Throws KeyRingFolderError with one line for people. */
  static async open(folder: string, options: LocalKeyRingOptions = {}): Promise<LocalKeyRing> {
    let records: RootDatabase<Buffer, string>;
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      // With overlapping sync a commit is visible to other processes before it is on disk.
      records = open({
        path: join(folder, 'keys.mdb'),
        encoding: 'binary',
        overlappingSync: false,
        mapSize: MAP_SIZE,
      });
    } catch (error) {
      throw new KeyRingFolderError(`Cannot open the key ring in ${folder}.`, { cause: error });
    }
    try {
      const keyEncryptionKey = await masterKeyOf(folder, records);
      const secrets = new DerivedSecrets(await systemSecretOf(folder, records, keyEncryptionKey));
      return new LocalKeyRing(records, keyEncryptionKey, secrets, options);
    } catch (error) {
      await records.close();
      throw error;
    }
  }

  async keyForSealing(contactId: string, keyClass: KeyClass): Promise<DataKey> {
    const keyId = keyIdOf(contactId, keyClass);
    this.checkGeneration(SEALING_CHECK_MS);
    const found = this.keyAtHand(keyId);
    if (found.kind === 'active') return found.key;
    if (found.kind === 'destroyed') throw new KeyDestroyedError();
    const wrapped = wrap(this.keyEncryptionKey, keyId, randomBytes(KEY_SIZE));
    try {
      await this.records.ifNoExists(
        keyId,
        () => void this.records.put(keyId, Buffer.concat([Buffer.of(ACTIVE), wrapped])),
      );
    } catch (error) {
      throw new KeyRingUnavailableError(error);
    }
    // Another process may have been faster: the record is what counts.
    this.checkGeneration(0);
    const stored = this.keyAtHand(keyId);
    if (stored.kind === 'destroyed') throw new KeyDestroyedError();
    if (stored.kind === 'missing')
      throw new KeyRingUnavailableError(new Error('A key just created is not there.'));
    return stored.key;
  }

  async keyForOpening(keyId: string): Promise<KeyLookup> {
    return this.keyAtHand(keyId);
  }

  override keyAtHand(keyId: string): KeyLookup {
    this.checkGeneration(OPENING_CHECK_MS);
    const cached = this.cache.get(keyId);
    if (cached !== undefined) return cached;
    const lookup = this.load(keyId);
    // A missing key may be created by another process at any time.
    if (lookup.kind !== 'missing') this.cache.set(keyId, lookup);
    return lookup;
  }

  async destroy(contactId: string, keyClass: KeyClass): Promise<DestroyedKey> {
    const keyId = keyIdOf(contactId, keyClass);
    try {
      await this.records.transaction(() => {
        if (this.records.get(keyId)?.[0] === DESTROYED) return;
        const tombstone = Buffer.alloc(9);
        tombstone.writeUInt8(DESTROYED);
        tombstone.writeDoubleBE(Date.now(), 1);
        void this.records.put(keyId, tombstone);
        const generation = Buffer.alloc(8);
        generation.writeDoubleBE(generationIn(this.records) + 1);
        void this.records.put(GENERATION, generation);
      });
    } catch (error) {
      throw new KeyRingUnavailableError(error);
    }
    this.checkGeneration(0);
    const lookup = this.keyAtHand(keyId);
    if (lookup.kind !== 'destroyed')
      throw new KeyRingUnavailableError(new Error('A key just destroyed is not destroyed.'));
    return { keyId, at: lookup.at };
  }

  /** Waits for writes under way. Nothing works afterwards. */
  async close(): Promise<void> {
    this.cache.clear();
    await this.records.close();
  }

  private load(keyId: string): KeyLookup {
    let record: Buffer | undefined;
    try {
      record = this.records.get(keyId);
    } catch (error) {
      throw new KeyRingUnavailableError(error);
    }
    if (record === undefined) return { kind: 'missing' };
    if (record[0] === DESTROYED)
      return { kind: 'destroyed', at: new Date(record.readDoubleBE(1)).toISOString() };
    try {
      return {
        kind: 'active',
        key: new DataKey(keyId, unwrap(this.keyEncryptionKey, keyId, record.subarray(1))),
      };
    } catch (error) {
      // A damaged record is not a destroyed key: it must not turn values into erased ones.
      throw new KeyRingUnavailableError(error);
    }
  }

  private checkGeneration(unlessWithinMs: number): void {
    const at = performance.now();
    if (at - this.generationCheckedAt < unlessWithinMs) return;
    this.generationCheckedAt = at;
    const generation = this.storedGeneration();
    if (generation === this.generation) return;
    this.generation = generation;
    this.cache.clear();
  }

  private storedGeneration(): number {
    try {
      // A read transaction sees the commits of other processes only from where it began.
      this.records.resetReadTxn();
      return generationIn(this.records);
    } catch (error) {
      throw new KeyRingUnavailableError(error);
    }
  }
}

const generationIn = (records: RootDatabase<Buffer, string>): number =>
  records.get(GENERATION)?.readDoubleBE() ?? 0;

const masterKeyOf = async (folder: string, records: RootDatabase<Buffer, string>): Promise<Buffer> => {
  const stored = await readMasterKey(folder);
  if (stored !== null) return stored;
  // A new key beside old records would make every personal value unreadable without a word.
  if (records.doesExist(SYSTEM_SECRET)) {
    throw new KeyRingFolderError(`${folder} holds keys, but not the master.key they were wrapped with.`);
  }
  return createMasterKey(folder);
};

const systemSecretOf = async (
  folder: string,
  records: RootDatabase<Buffer, string>,
  keyEncryptionKey: Buffer,
): Promise<Buffer> => {
  const fresh = wrap(keyEncryptionKey, SYSTEM_SECRET, randomBytes(KEY_SIZE));
  await records.ifNoExists(SYSTEM_SECRET, () => void records.put(SYSTEM_SECRET, fresh));
  records.resetReadTxn();
  const stored = records.get(SYSTEM_SECRET);
  try {
    if (stored === undefined) throw new Error('The system secret just created is not there.');
    return unwrap(keyEncryptionKey, SYSTEM_SECRET, stored);
  } catch (error) {
    throw new KeyRingFolderError(`The master.key in ${folder} is not the one its keys were wrapped with.`, {
      cause: error,
    });
  }
};
