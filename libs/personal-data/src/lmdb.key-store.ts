import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { CellFile } from './cell-file';
import { KeyRingSetupError, KeyRingUnavailableError } from './key-ring.errors';
import { KeyStore, type KeyRecord, type Rewrapping, type Tombstone, type WrappedKey } from './key-store.port';

const ACTIVE = 1;
const DESTROYED = 2;
/** First letters of what the index holds: records, list of the destroyed, notes, names with cells to overwrite. */
const RECORD = 'k:';
const LISTED = 'd:';
const NOTE = 'n:';
const STALE = 's:';
const NEWEST_TOMBSTONE = 'newest-tombstone';
const SLOTS = 'slots';
const SEQ_DIGITS = 12;
/** Of a tombstone where there never was a key. */
const NO_SLOT = 2 ** 48 - 1;
/** Slots a process takes at a time; what it does not use is lost, 128 bytes each. */
const SLOTS_TAKEN = 64;
const READS_MAX = 10;
/** Address space, not memory or disk: about a hundred million records. */
const MAP_SIZE = 2 ** 35;

type Entry =
  | Readonly<{ kind: 'active'; kek: number; cell: number }>
  | Readonly<{ kind: 'destroyed'; at: number; slot: number }>;

/**
 * Keys in a folder of this machine, shared by all processes on it. The wrapped keys lie in a file of cells that are
 * overwritten in place, since LMDB leaves what was deleted in its free pages; LMDB holds the index. A key has a slot of
 * two cells for all time: re-wrapping writes the one that is not in use, turns the index over and then clears the other.
 */
export class LmdbKeyStore extends KeyStore {
  readonly unnoticedMs = { sealing: 10, opening: 1_000 };
  private freeSlots: number[] = [];
  private takingSlots: Promise<void> | undefined;
  /** Changes of keys that exist, one after another: clearing a cell must go by what is committed. */
  private changes: Promise<unknown> = Promise.resolve();
  private closed = false;

  private constructor(
    private readonly index: RootDatabase<Buffer, string>,
    private readonly cells: CellFile,
  ) {
    super();
  }

  /** Opens the folder, created where it is missing. Throws KeyRingSetupError with one line for people. */
  static async open(folder: string): Promise<LmdbKeyStore> {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      // With overlapping sync a commit is visible to other processes before it is on disk.
      const index = open<Buffer, string>({
        path: join(folder, 'index.mdb'),
        encoding: 'binary',
        overlappingSync: false,
        mapSize: MAP_SIZE,
      });
      const store = new LmdbKeyStore(index, await CellFile.open(join(folder, 'keys.bin')));
      await store.clearWhatAKillLeft();
      return store;
    } catch (error) {
      throw new KeyRingSetupError(`Cannot open the key ring in ${folder}.`, { cause: error });
    }
  }

  async read(name: string): Promise<KeyRecord | null> {
    return this.readAtHand(name);
  }

  override readAtHand(name: string): KeyRecord | null {
    return this.tried(() => {
      for (let read = 0; read < READS_MAX; read += 1) {
        const entry = this.entryNow(name);
        if (entry === null) return null;
        if (entry.kind === 'destroyed') return { kind: 'destroyed', at: entry.at };
        const wrapped = this.cells.read(entry.cell);
        // The cell may have been cleared after the index was read.
        const again = this.entryNow(name);
        if (again?.kind === 'active' && again.cell === entry.cell && again.kek === entry.kek)
          return { kind: 'active', kek: entry.kek, wrapped };
      }
      throw new Error('A key changes faster than it can be read.');
    });
  }

  async create(name: string, { kek, wrapped }: WrappedKey): Promise<KeyRecord> {
    return this.triedLater(async () => {
      const slot = await this.takeSlot();
      await this.cells.write(slot * 2, wrapped);
      const created = await this.index.ifNoExists(
        RECORD + name,
        () => void this.index.put(RECORD + name, bytesOf({ kind: 'active', kek, cell: slot * 2 })),
      );
      if (!created) this.freeSlots.push(slot);
      const stored = this.readAtHand(name);
      if (stored === null) throw new Error('A key just created is not there.');
      return stored;
    });
  }

  async rewrap(changes: readonly Rewrapping[]): Promise<void> {
    await this.inTurn(async () => {
      const stale: string[] = [];
      await this.index.transaction(() => {
        for (const { name, from, to } of changes) {
          const entry = this.entry(name);
          if (entry?.kind !== 'active' || entry.kek !== from.kek) continue;
          if (!this.cells.read(entry.cell).equals(from.wrapped)) continue;
          const cell = entry.cell ^ 1;
          this.cells.writeNow(cell, to.wrapped);
          void this.index.put(RECORD + name, bytesOf({ kind: 'active', kek: to.kek, cell }));
          void this.index.put(STALE + name, Buffer.alloc(1));
          stale.push(name);
        }
        if (stale.length > 0) this.cells.sync();
      });
      await this.clear(stale);
    });
  }

  async destroy(name: string, at: number): Promise<number> {
    return this.inTurn(async () => {
      const first = await this.index.transaction(() => {
        const entry = this.entry(name);
        if (entry?.kind === 'destroyed') return entry.at;
        const slot = entry === null ? NO_SLOT : entry.cell >> 1;
        void this.index.put(RECORD + name, bytesOf({ kind: 'destroyed', at, slot }));
        const seq = this.numberIn(NEWEST_TOMBSTONE) + 1;
        void this.index.put(NEWEST_TOMBSTONE, numberBytes(seq));
        void this.index.put(listKey(seq), Buffer.concat([numberBytes(at), Buffer.from(name)]));
        if (slot !== NO_SLOT) void this.index.put(STALE + name, Buffer.alloc(1));
        return at;
      });
      await this.clear([name]);
      return first;
    });
  }

  async page(after: string | null, limit: number): Promise<readonly (readonly [string, KeyRecord])[]> {
    return this.tried(() => {
      this.index.resetReadTxn();
      const start = RECORD + (after === null ? '' : `${after}\0`);
      const names = [...this.index.getKeys({ start, end: 'k;', limit })].map((key) =>
        key.slice(RECORD.length),
      );
      return names.map((name) => [name, this.readAtHand(name) as KeyRecord] as const);
    });
  }

  async tombstones(fromSeq: number, limit: number): Promise<readonly Tombstone[]> {
    return this.tombstonesAtHand(fromSeq, limit);
  }

  override tombstonesAtHand(fromSeq: number, limit: number): readonly Tombstone[] {
    return this.tried(() => {
      // A read transaction sees the commits of other processes only from where it began.
      this.index.resetReadTxn();
      const newest = this.numberIn(NEWEST_TOMBSTONE);
      if (newest < fromSeq) return [];
      return [...this.index.getRange({ start: listKey(fromSeq), end: 'd;', limit })].map(
        ({ key, value }) => ({
          seq: Number(key.slice(LISTED.length)),
          name: value.subarray(8).toString(),
          at: value.readDoubleBE(),
        }),
      );
    });
  }

  async newestTombstone(): Promise<number> {
    return this.tried(() => {
      this.index.resetReadTxn();
      return this.numberIn(NEWEST_TOMBSTONE);
    });
  }

  async note(name: string): Promise<string | null> {
    return this.tried(() => {
      this.index.resetReadTxn();
      return this.index.get(NOTE + name)?.toString() ?? null;
    });
  }

  async replaceNote(name: string, from: string | null, to: string): Promise<boolean> {
    return this.triedLater(() =>
      this.index.transaction(() => {
        if ((this.index.get(NOTE + name)?.toString() ?? null) !== from) return false;
        void this.index.put(NOTE + name, Buffer.from(to));
        return true;
      }),
    );
  }

  /** Waits for writes under way. Nothing works afterwards. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.changes;
    await this.index.close();
    await this.cells.close();
  }

  private entry(name: string): Entry | null {
    const bytes = this.index.get(RECORD + name);
    return bytes === undefined ? null : entryOf(bytes);
  }

  private entryNow(name: string): Entry | null {
    this.index.resetReadTxn();
    return this.entry(name);
  }

  private numberIn(key: string): number {
    return this.index.get(key)?.readDoubleBE() ?? 0;
  }

  private async takeSlot(): Promise<number> {
    for (;;) {
      const slot = this.freeSlots.pop();
      if (slot !== undefined) return slot;
      this.takingSlots ??= this.takeSlots().finally(() => (this.takingSlots = undefined));
      await this.takingSlots;
    }
  }

  private async takeSlots(): Promise<void> {
    const first = await this.index.transaction(() => {
      const next = this.numberIn(SLOTS);
      void this.index.put(SLOTS, numberBytes(next + SLOTS_TAKEN));
      return next;
    });
    this.freeSlots = Array.from({ length: SLOTS_TAKEN }, (_, offset) => first + SLOTS_TAKEN - 1 - offset);
  }

  /** Zeros for every cell of these names that the index, as it is committed, does not point to. */
  private async clear(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    await this.index.transaction(() => {
      for (const name of names) {
        const entry = this.entry(name);
        if (entry?.kind === 'active') this.cells.writeNow(entry.cell ^ 1, null);
        if (entry?.kind === 'destroyed' && entry.slot !== NO_SLOT) {
          this.cells.writeNow(entry.slot * 2, null);
          this.cells.writeNow(entry.slot * 2 + 1, null);
        }
      }
      this.cells.sync();
      for (const name of names) void this.index.remove(STALE + name);
    });
  }

  private async clearWhatAKillLeft(): Promise<void> {
    const names = [...this.index.getKeys({ start: STALE, end: 's;' })].map((key) => key.slice(STALE.length));
    await this.inTurn(() => this.clear(names));
  }

  private inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.changes.then(() => this.triedLater(change));
    this.changes = result.catch(() => undefined);
    return result;
  }

  private tried<T>(action: () => T): T {
    try {
      if (this.closed) throw new Error('The key ring is closed.');
      return action();
    } catch (error) {
      throw error instanceof KeyRingUnavailableError ? error : new KeyRingUnavailableError(error);
    }
  }

  private async triedLater<T>(action: () => Promise<T>): Promise<T> {
    try {
      if (this.closed) throw new Error('The key ring is closed.');
      return await action();
    } catch (error) {
      throw error instanceof KeyRingUnavailableError ? error : new KeyRingUnavailableError(error);
    }
  }
}

const listKey = (seq: number): string => LISTED + String(seq).padStart(SEQ_DIGITS, '0');

const numberBytes = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
};

/** Kind (1 byte), then version and cell (2 and 6 bytes), or time and slot (8 and 6 bytes). */
const bytesOf = (entry: Entry): Buffer => {
  const bytes = Buffer.alloc(entry.kind === 'active' ? 9 : 15);
  if (entry.kind === 'active') {
    bytes.writeUInt8(ACTIVE);
    bytes.writeUInt16BE(entry.kek, 1);
    bytes.writeUIntBE(entry.cell, 3, 6);
  } else {
    bytes.writeUInt8(DESTROYED);
    bytes.writeDoubleBE(entry.at, 1);
    bytes.writeUIntBE(entry.slot, 9, 6);
  }
  return bytes;
};

const entryOf = (bytes: Buffer): Entry => {
  switch (bytes[0]) {
    case ACTIVE:
      return { kind: 'active', kek: bytes.readUInt16BE(1), cell: bytes.readUIntBE(3, 6) };
    case DESTROYED:
      return { kind: 'destroyed', at: bytes.readDoubleBE(1), slot: bytes.readUIntBE(9, 6) };
    default:
      throw new Error('A record of the key ring is damaged.');
  }
};
