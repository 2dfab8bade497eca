import type { KekVersion, KeyEncryptionKeys } from './key-encryption-keys';
import { isKeyId } from './key-id';
import { KeyRingUnavailableError } from './key-ring.errors';
import type { DestroyedKey } from './key-ring.port';
import type { KeyRecord, KeyStore, Rewrapping } from './key-store.port';

/** Of contacts' keys. */
export type KeyRingFigures = Readonly<{
  active: number;
  destroyed: number;
  /** `wraps`: how many records are under this version, system's own included. */
  versions: readonly Readonly<KekVersion & { wraps: number }>[];
}>;

export type Rotation = Readonly<{ version: number; rewrapped: number }>;

const PAGE = 500;
/** Two are what it takes. */
const PASSES_MAX = 10;

/** What the operator does with a key ring, while other processes use it. */
export class KeyRingKeeper {
  constructor(
    private readonly store: KeyStore,
    private readonly keks: KeyEncryptionKeys,
  ) {}

  async figures(): Promise<KeyRingFigures> {
    let active = 0;
    let destroyed = 0;
    const wraps = new Map<number, number>();
    for await (const [name, record] of this.records()) {
      if (record.kind === 'destroyed') destroyed += 1;
      else {
        if (isKeyId(name)) active += 1;
        wraps.set(record.kek, (wraps.get(record.kek) ?? 0) + 1);
      }
    }
    await this.keks.refresh();
    const versions = this.keks
      .versions()
      .map((known) => ({ ...known, wraps: wraps.get(known.version) ?? 0 }));
    return { active, destroyed, versions };
  }

  /** In the order in which they were destroyed. */
  async *destroyedKeys(): AsyncGenerator<DestroyedKey> {
    for (let from = 1; ;) {
      const page = await this.store.tombstones(from, PAGE);
      for (const { seq, name, at } of page) {
        yield { keyId: name, at: new Date(at).toISOString() };
        from = seq + 1;
      }
      if (page.length < PAGE) return;
    }
  }

  /** Makes the file of the next version without using it yet; tells its path. Throws KeyRingSetupError. */
  prepare(): Promise<string> {
    return this.keks.prepare();
  }

  /**
   * Wraps every key anew, under a new key-encryption key or the one of a rotation that was cut short, and destroys the old
   * one. Events stay as they are. Safe to cut anywhere and to begin again, and while other processes seal and open.
   */
  async rotate(onRecord: () => void = () => undefined): Promise<Rotation> {
    await this.keks.begin();
    let rewrapped = 0;
    for (let pass = 0; pass < PASSES_MAX; pass += 1) {
      await this.keks.refresh();
      const { version } = this.keks.current();
      const count = await this.rewrapAll(onRecord);
      rewrapped += count;
      // One pass finds all, but the old key is destroyed only after one that found nothing.
      if (count > 0) continue;
      await this.keks.retireOld(version);
      return { version, rewrapped };
    }
    throw new KeyRingUnavailableError(new Error('Other processes still wrap under the old version.'));
  }

  private async rewrapAll(onRecord: () => void): Promise<number> {
    let count = 0;
    let changes: Rewrapping[] = [];
    const flush = async (): Promise<void> => {
      await this.store.rewrap(changes);
      count += changes.length;
      for (const _ of changes) onRecord();
      changes = [];
    };
    for await (const [name, from] of this.records()) {
      if (from.kind !== 'active' || from.kek === this.keks.current().version) continue;
      // Null: another rotation got there first, or its creator was killed before it came to any use.
      const key = await this.keks.unwrapUnlessRetired(name, from);
      if (key !== null) changes.push({ name, from, to: this.keks.wrap(name, key) });
      if (changes.length === PAGE) await flush();
    }
    if (changes.length > 0) await flush();
    return count;
  }

  private async *records(): AsyncGenerator<readonly [string, KeyRecord]> {
    for (let after: string | null = null; ;) {
      const page: readonly (readonly [string, KeyRecord])[] = await this.store.page(after, PAGE);
      yield* page;
      if (page.length < PAGE) return;
      after = page.at(-1)?.[0] ?? null;
    }
  }
}
