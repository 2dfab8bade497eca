import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { KeyRingUnavailableError } from './key-ring.errors';
import { KeyStore, type KeyRecord, type Rewrapping, type Tombstone, type WrappedKey } from './key-store.port';
import type { MasterKeyFiles } from './master-key.files';

/** What several memory stores share, as processes share a database. */
export class MemoryRecords {
  readonly records = new Map<string, KeyRecord>();
  readonly list: Tombstone[] = [];
  readonly notes = new Map<string, string>();
  readonly files = new Map<number, KeyObject>();

  /** As an older copy of the same. */
  copy(): MemoryRecords {
    const copy = new MemoryRecords();
    for (const [name, record] of this.records) copy.records.set(name, record);
    copy.list.push(...this.list);
    for (const [name, note] of this.notes) copy.notes.set(name, note);
    for (const [version, key] of this.files) copy.files.set(version, key);
    return copy;
  }

  /** The files of the key-encryption key. */
  masterKeys(): MasterKeyFiles {
    const files = {
      read: async (version: number) => this.files.get(version) ?? null,
      make: async (version: number) => {
        if (!this.files.has(version)) this.files.set(version, createSecretKey(randomBytes(32)));
        return this.files.get(version);
      },
      destroy: async (version: number) => void this.files.delete(version),
      pathOf: (version: number) => `key ${version}`,
    };
    return files as unknown as MasterKeyFiles;
  }
}

/** A store across a network, as one process sees it. `step` comes before and after each of its calls. */
export class MemoryKeyStore extends KeyStore {
  unnoticedMs = { sealing: 0, opening: 0 };
  /** Calls are refused. */
  isDown = false;
  callCount = 0;

  constructor(
    public shared: MemoryRecords,
    private readonly step: () => Promise<void> = () => Promise.resolve(),
  ) {
    super();
  }

  read(name: string): Promise<KeyRecord | null> {
    return this.call(() => this.shared.records.get(name) ?? null);
  }

  override readAtHand(): undefined {
    return undefined;
  }

  create(name: string, key: WrappedKey): Promise<KeyRecord> {
    return this.call(() => {
      if (!this.shared.records.has(name)) this.shared.records.set(name, { kind: 'active', ...key });
      return this.shared.records.get(name) as KeyRecord;
    });
  }

  async rewrap(changes: readonly Rewrapping[]): Promise<void> {
    // One by one: a real store does not change many records at once either.
    for (const { name, from, to } of changes) {
      await this.call(() => {
        const record = this.shared.records.get(name);
        if (record?.kind !== 'active' || record.kek !== from.kek || !record.wrapped.equals(from.wrapped))
          return;
        this.shared.records.set(name, { kind: 'active', ...to });
      });
    }
  }

  destroy(name: string, at: number): Promise<number> {
    return this.call(() => {
      const record = this.shared.records.get(name);
      if (record?.kind === 'destroyed') return record.at;
      this.shared.records.set(name, { kind: 'destroyed', at });
      this.shared.list.push({ seq: this.shared.list.length + 1, name, at });
      return at;
    });
  }

  page(after: string | null, limit: number): Promise<readonly (readonly [string, KeyRecord])[]> {
    return this.call(() =>
      [...this.shared.records]
        .filter(([name]) => after === null || name > after)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .slice(0, limit),
    );
  }

  tombstones(fromSeq: number, limit: number): Promise<readonly Tombstone[]> {
    return this.call(() => this.shared.list.slice(fromSeq - 1, fromSeq - 1 + limit));
  }

  override tombstonesAtHand(): undefined {
    return undefined;
  }

  newestTombstone(): Promise<number> {
    return this.call(() => this.shared.list.length);
  }

  note(name: string): Promise<string | null> {
    return this.call(() => this.shared.notes.get(name) ?? null);
  }

  replaceNote(name: string, from: string | null, to: string): Promise<boolean> {
    return this.call(() => {
      if ((this.shared.notes.get(name) ?? null) !== from) return false;
      this.shared.notes.set(name, to);
      return true;
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private async call<T>(action: () => T): Promise<T> {
    this.callCount += 1;
    await this.step();
    if (this.isDown) throw new KeyRingUnavailableError(new Error('down'));
    const result = action();
    await this.step();
    return result;
  }
}
