import { deserialize, serialize } from 'bson';
import {
  CheckpointLostError,
  collectionOf,
  ReadStore,
  type AnyLedger,
  type AnyProjection,
  type Change,
  type CheckpointHold,
  type Journal,
  type JournalEntry,
  type LedgerRow,
  type LedgerState,
  type Positions,
  type Stored,
} from '@app/read-store';

/**
 * The read store's promises without a server, for properties that need thousands of runs. Documents are kept as BSON, so
 * that what does not survive storage (undefined, dates, the order of keys) shows here as it would there.
 */
export class SimulatedReadStore extends ReadStore {
  private readonly collections = new Map<string, Map<string, Uint8Array>>();
  private readonly checkpoints = new Map<string, { epoch: string; positions: Map<string, bigint> }>();
  private epochs = 0;

  async open(runner: string): Promise<CheckpointHold> {
    const known = this.checkpoints.get(runner);
    if (known) return { runner, epoch: known.epoch };
    const epoch = String((this.epochs += 1));
    this.checkpoints.set(runner, { epoch, positions: new Map() });
    return { runner, epoch };
  }

  async load(projection: AnyProjection, ids: readonly string[]): Promise<ReadonlyMap<string, Stored>> {
    return this.loadNow(projection, ids);
  }

  async save(projection: AnyProjection, changes: readonly Change[]): Promise<boolean> {
    return this.saveNow(projection, changes);
  }

  async insert(journal: Journal, entries: readonly JournalEntry[]): Promise<void> {
    const rows = this.rows(collectionOf(journal));
    for (const { position, doc } of entries) {
      const id = position.toString();
      if (!rows.has(id)) rows.set(id, bytesOf({ _id: position, ...doc }));
    }
  }

  async loadState(ledger: AnyLedger): Promise<LedgerState | null> {
    const bytes = this.rows('ledgers').get(collectionOf(ledger));
    if (!bytes) return null;
    const { _position, state } = documentOf(bytes) as Row & { state: object };
    return { position: _position, state };
  }

  async dropState(ledger: AnyLedger): Promise<void> {
    this.rows('ledgers').delete(collectionOf(ledger));
  }

  async insertRows(ledger: AnyLedger, rows: readonly LedgerRow[]): Promise<void> {
    const stored = this.rows(collectionOf(ledger));
    for (const { _id, doc } of rows) {
      const id = String(_id);
      if (!stored.has(id)) stored.set(id, bytesOf({ _id, ...doc }));
    }
  }

  async saveState(ledger: AnyLedger, { position, state }: LedgerState): Promise<void> {
    const id = collectionOf(ledger);
    const stored = this.rows('ledgers').get(id);
    if (stored && documentOf(stored)._position >= position) return;
    this.rows('ledgers').set(id, bytesOf({ _id: id, _position: position, state }));
  }

  async positions(): Promise<Positions> {
    const furthest = new Map<string, bigint>();
    for (const { positions } of this.checkpoints.values()) raise(furthest, positions);
    return furthest;
  }

  async saveCheckpoint({ runner, epoch }: CheckpointHold, positions: Positions): Promise<void> {
    const checkpoint = this.checkpoints.get(runner);
    if (checkpoint?.epoch !== epoch) throw new CheckpointLostError(runner);
    raise(checkpoint.positions, positions);
  }

  /** As `load`, for specs that do not wait. */
  loadNow(projection: AnyProjection, ids: readonly string[]): ReadonlyMap<string, Stored> {
    const rows = this.rows(collectionOf(projection));
    const found = new Map<string, Stored>();
    for (const id of ids) {
      const bytes = rows.get(id);
      if (!bytes) continue;
      const { _id, _position, ...doc } = documentOf(bytes);
      found.set(String(_id), { position: _position, doc: Object.keys(doc).length > 0 ? doc : null });
    }
    return found;
  }

  /** As `save`, for specs that do not wait. */
  saveNow(projection: AnyProjection, changes: readonly Change[]): boolean {
    const rows = this.rows(collectionOf(projection));
    let settled = true;
    for (const { id, isNew, position, doc } of changes) {
      const bytes = rows.get(id);
      const at = bytes ? documentOf(bytes)._position : null;
      const free = isNew ? at === null : at !== null && at < position;
      if (!free) settled = false;
      else rows.set(id, bytesOf({ _id: id, _position: position, ...doc }));
    }
    return settled;
  }

  /** Everything stored, as hexadecimal by collection and id: two stores hold the same if these are equal. */
  contents(): Record<string, Record<string, string>> {
    const sorted = <V>(entries: Iterable<[string, V]>) => [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(
      sorted([...this.collections].filter(([, rows]) => rows.size > 0)).map(([name, rows]) => [
        name,
        Object.fromEntries(sorted(rows).map(([id, bytes]) => [id, Buffer.from(bytes).toString('hex')])),
      ]),
    );
  }

  /** What an operator does who drops the read database. */
  empty(): void {
    this.collections.clear();
    this.checkpoints.clear();
  }

  private rows(collection: string): Map<string, Uint8Array> {
    const known = this.collections.get(collection);
    if (known) return known;
    const rows = new Map<string, Uint8Array>();
    this.collections.set(collection, rows);
    return rows;
  }
}

type Row = { _id: string | bigint; _position: bigint };

const bytesOf = (row: object): Uint8Array => serialize(row, { ignoreUndefined: true });
const documentOf = (bytes: Uint8Array): Row => deserialize(bytes, { useBigInt64: true }) as Row;

const raise = (known: Map<string, bigint>, to: Positions): void => {
  for (const [collection, position] of to) {
    const at = known.get(collection);
    if (at === undefined || at < position) known.set(collection, position);
  }
};
