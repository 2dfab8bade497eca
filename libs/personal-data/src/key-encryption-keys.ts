import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { KeyRingSetupError, KeyRingUnavailableError, KeyServiceError } from './key-ring.errors';
import type { KeyStore, WrappedKey } from './key-store.port';
import { KEY_SIZE, unwrap, wrap } from './key-wrapping';
import type { MasterKeyFiles } from './master-key.files';
import type { TransitKeyService } from './transit.key-service';

/**
 * `current` wraps what is written; `old` is what a rotation leads away from; `retired` wraps nothing any more and is
 * destroyed.
 */
export type KekState = 'current' | 'old' | 'retired';

/** What the key ring notes of a version. `service`: as the key service wrapped it; null: it lies in a file. */
export type KekVersion = Readonly<{ version: number; state: KekState; service: string | null }>;

const NOTE = 'key-encryption-keys';
const TRIES_MAX = 20;

/**
 * The key-encryption key in its versions: which there are is noted in the key ring, the keys come from files or from the
 * key service, are unwrapped once at start (and when a rotation makes a new one) and then held in memory.
 */
export class KeyEncryptionKeys {
  private note: string | null = null;
  private known: readonly KekVersion[] = [];
  private readonly loaded = new Map<number, KeyObject>();

  constructor(
    private readonly store: KeyStore,
    private readonly files: MasterKeyFiles,
    private readonly service: TransitKeyService | null,
  ) {}

  /**
   * Reads which versions there are, and loads those that are in use; a new key ring gets its first one. Throws
   * KeyRingSetupError, KeyServiceError and KeyRingUnavailableError.
   */
  async open(): Promise<void> {
    for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
      const note = await this.store.note(NOTE);
      const versions = versionsIn(note);
      if (note !== null) {
        for (const known of versions) if (known.state !== 'retired') await this.load(known);
        this.note = note;
        this.known = versions;
        return;
      }
      const first: KekVersion = { version: 1, state: 'current', service: await this.make(1) };
      // Another process may have been faster; then its key is the one.
      await this.store.replaceNote(NOTE, null, JSON.stringify([first]));
    }
    throw new KeyRingUnavailableError(new Error('The key ring does not keep its first key-encryption key.'));
  }

  versions(): readonly KekVersion[] {
    return this.known;
  }

  current(): KekVersion {
    const current = this.known.find(({ state }) => state === 'current');
    if (current === undefined)
      throw new KeyRingUnavailableError(new Error('No key-encryption key is in use.'));
    return current;
  }

  isRetired(version: number): boolean {
    return this.known.some((known) => known.version === version && known.state === 'retired');
  }

  /**
   * Looks again which versions there are, and loads the one to write with. Throws KeyRingUnavailableError where it cannot
   * be loaded; what was known before then stays.
   */
  async refresh(): Promise<void> {
    for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
      const note = await this.store.note(NOTE);
      const versions = versionsIn(note);
      try {
        for (const known of versions) if (known.state === 'current') await this.loadLater(known);
      } catch (error) {
        // It may have been retired since.
        if ((await this.store.note(NOTE)) === note) throw error;
        continue;
      }
      // What was read earlier may arrive later.
      if (progressOf(versions) < progressOf(this.known)) return;
      for (const { version, state } of versions) if (state === 'retired') this.loaded.delete(version);
      this.note = note;
      this.known = versions;
      return;
    }
    throw new KeyRingUnavailableError(
      new Error('The key-encryption keys change faster than they can be read.'),
    );
  }

  wrap(name: string, key: Buffer): WrappedKey {
    const { version } = this.current();
    return { kek: version, wrapped: wrap(this.loaded.get(version) as KeyObject, name, key) };
  }

  /** Undefined where the version is not loaded. Throws KeyRingUnavailableError where the key is damaged. */
  unwrapAtHand(name: string, { kek, wrapped }: WrappedKey): Buffer | undefined {
    const key = this.loaded.get(kek);
    if (key === undefined) return undefined;
    try {
      return unwrap(key, name, wrapped);
    } catch (error) {
      // A damaged record is not a destroyed key: it must not turn values into erased ones.
      throw new KeyRingUnavailableError(error);
    }
  }

  /** Throws KeyRingUnavailableError where the version cannot be loaded. */
  async unwrap(name: string, key: WrappedKey): Promise<Buffer> {
    if (!this.loaded.has(key.kek)) {
      await this.refresh();
      const known = this.known.find(({ version, state }) => version === key.kek && state !== 'retired');
      if (known === undefined)
        throw new KeyRingUnavailableError(new Error(`Key-encryption key ${key.kek} is not in use.`));
      await this.loadLater(known);
    }
    return this.unwrapAtHand(name, key) as Buffer;
  }

  /** Null where the version turns out to be retired. */
  async unwrapUnlessRetired(name: string, key: WrappedKey): Promise<Buffer | null> {
    try {
      return await this.unwrap(name, key);
    } catch (error) {
      // It may have been retired while it was loaded.
      await this.refresh();
      if (this.isRetired(key.kek)) return null;
      throw error;
    }
  }

  /** Makes the file of the next version, to be copied to other machines before the rotation; tells its path. */
  async prepare(): Promise<string> {
    await this.refresh();
    const next = this.nextVersion();
    await this.files.make(next);
    return this.files.pathOf(next);
  }

  /** Makes a new version to write with, unless a rotation is under way already. */
  async begin(): Promise<void> {
    for (let attempt = 0; attempt < TRIES_MAX; attempt += 1) {
      await this.refresh();
      if (this.known.some(({ state }) => state === 'old')) return;
      const next = this.nextVersion();
      const service = await this.make(next);
      const versions = this.known.map((known) =>
        known.state === 'current' ? { ...known, state: 'old' as const } : known,
      );
      if (await this.saveNote([...versions, { version: next, state: 'current', service }])) return;
    }
    throw new KeyRingUnavailableError(new Error('Other processes change the key-encryption keys.'));
  }

  /**
   * Retires what a rotation to `version` led away from, and destroys it; to be called when it wraps nothing any more. Does
   * nothing where another rotation has begun since.
   */
  async retireOld(version: number): Promise<void> {
    await this.refresh();
    if (this.current().version !== version) return;
    const versions = this.known.map((known) =>
      // What the service would unwrap goes with it.
      known.state === 'old' ? { ...known, state: 'retired' as const, service: null } : known,
    );
    // Where another process was faster, it was with the same, or with a rotation of its own.
    await this.saveNote(versions);
    for (const known of this.known) {
      if (known.state !== 'retired') continue;
      this.loaded.delete(known.version);
      await this.files.destroy(known.version);
    }
  }

  private nextVersion(): number {
    return Math.max(...this.known.map(({ version }) => version)) + 1;
  }

  private async saveNote(versions: readonly KekVersion[]): Promise<boolean> {
    const saved = await this.store.replaceNote(NOTE, this.note, JSON.stringify(versions));
    await this.refresh();
    return saved;
  }

  private async make(version: number): Promise<string | null> {
    if (this.service === null) {
      await this.files.make(version);
      return null;
    }
    return this.service.wrap(randomBytes(KEY_SIZE));
  }

  /** As `load`, while others wait for the key ring: what is wrong with the setup is an outage to them. */
  private async loadLater(known: KekVersion): Promise<void> {
    try {
      await this.load(known);
    } catch (error) {
      throw error instanceof KeyRingUnavailableError ? error : new KeyRingUnavailableError(error);
    }
  }

  private async load({ version, service }: KekVersion): Promise<void> {
    if (this.loaded.has(version)) return;
    const key = await (service === null
      ? this.files.read(version)
      : this.serviceOf(version).unwrap(service).then(secretKey));
    if (key === null) {
      throw new KeyRingSetupError(
        `The key ring holds keys, but ${this.files.pathOf(version)} that they were wrapped with is not there.`,
      );
    }
    this.loaded.set(version, key);
  }

  private serviceOf(version: number): TransitKeyService {
    if (this.service !== null) return this.service;
    throw new KeyRingSetupError(
      `Version ${version} of the key-encryption key is with a key service; set REGULARS_KMS_URL and REGULARS_KMS_TOKEN.`,
    );
  }
}

const versionsIn = (note: string | null): readonly KekVersion[] =>
  note === null ? [] : (JSON.parse(note) as readonly KekVersion[]);

/** Grows with every change: a version is added, or retired. */
const progressOf = (versions: readonly KekVersion[]): number =>
  versions.length + versions.filter(({ state }) => state === 'retired').length;

const secretKey = (key: Buffer): KeyObject => {
  if (key.length !== KEY_SIZE) throw new KeyServiceError(`answered a key of another length`, true);
  return createSecretKey(key);
};
