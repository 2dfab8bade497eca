import { randomUUID } from 'node:crypto';
import {
  MongoBulkWriteError,
  MongoError,
  MongoNetworkError,
  MongoServerSelectionError,
  type AnyBulkWriteOperation,
  type Collection,
  type Db,
  type WriteConcernSettings,
  type WriteError,
} from 'mongodb';
import type { Change, LedgerState, Stored } from './fold-batch';
import {
  collectionOf,
  type AnyLedger,
  type AnyProjection,
  type IndexSpec,
  type Journal,
  type LedgerRow,
  type ReadModels,
} from './projection';
import { CheckpointLostError, ReadStoreUnavailableError } from './read-store.errors';
import { ReadStore, type CheckpointHold, type JournalEntry, type Positions } from './read-store.port';

type Row = { _id: string; _position: bigint };
type Entry = { _id: bigint };
type LedgerEntry = { _id: number | string };
type LedgerDocument = { _id: string; _position: bigint; state: object };
type Checkpoint = { _id: string; epoch: string; positions: Record<string, bigint> };

/** On disk, and on most members of a replica set: what a checkpoint claims cannot be lost or rolled back. */
const DURABLE = { w: 'majority', journal: true } as const;

/** Beyond these a sort is still right, only not served from an index; the server's own bound is 64 a collection. */
export const DYNAMIC_INDEXES_MAX = 40;
export const DYNAMIC_INDEX_PREFIX = 'dynamic:';

const DUPLICATE_KEY = 11000;

/** Read models in MongoDB: documents as `{ _id, _position, ...doc }`, removed ones as `{ _id, _position }`, journal entries as `{ _id: position, ...doc }`. */
export class MongoReadStore extends ReadStore {
  /** Dynamic indexes that are known to exist, by collection. */
  private readonly dynamicIndexes = new Map<string, Set<string>>();

  /**
   * What the address of the database asks for, else DURABLE. A server that goes down with this process need not flush:
   * nobody goes on from memory then, and the store comes back as it was at one moment, checkpoint and documents alike.
   */
  private readonly writeConcern: WriteConcernSettings;

  constructor(private readonly db: Db) {
    super();
    this.writeConcern = db.writeConcern ?? DURABLE;
  }

  async open(runner: string, { projections, journals, ledgers = [] }: ReadModels): Promise<CheckpointHold> {
    return available(async () => {
      for (const readModel of [...projections, ...journals, ...ledgers]) await this.createIndexes(readModel);
      for (const projection of projections) await this.learnDynamicIndexes(projection);
      const checkpoint = await this.checkpoints().findOneAndUpdate(
        { _id: runner },
        { $setOnInsert: { epoch: randomUUID(), positions: {} } },
        { upsert: true, returnDocument: 'after', writeConcern: this.writeConcern },
      );
      if (!checkpoint) throw new CheckpointLostError(runner);
      return { runner, epoch: checkpoint.epoch };
    });
  }

  async load(projection: AnyProjection, ids: readonly string[]): Promise<ReadonlyMap<string, Stored>> {
    return available(async () => {
      const rows = await this.rows(projection)
        .find({ _id: { $in: [...ids] } })
        .batchSize(ids.length + 1)
        .toArray();
      const found = new Map<string, Stored>();
      for (const { _id, _position, ...doc } of rows) {
        found.set(_id, { position: _position, doc: isBare(doc) ? null : doc });
      }
      return found;
    });
  }

  async save(projection: AnyProjection, changes: readonly Change[]): Promise<boolean> {
    return available(async () => {
      await this.createDynamicIndexes(
        projection,
        changes.map(({ doc }) => doc),
      );
      const written = await this.rows(projection)
        .bulkWrite(changes.map(operationOf), { ordered: false, writeConcern: this.writeConcern })
        .catch(onlyDuplicateIds);
      return written.insertedCount + written.matchedCount === changes.length;
    });
  }

  async insert(journal: Journal, entries: readonly JournalEntry[]): Promise<void> {
    await available(() =>
      this.db
        .collection<Entry>(collectionOf(journal))
        .insertMany(
          entries.map(({ position, doc }) => ({ _id: position, ...doc })),
          { ordered: false, writeConcern: this.writeConcern },
        )
        .catch(onlyDuplicateIds),
    );
  }

  async loadState(ledger: AnyLedger): Promise<LedgerState | null> {
    return available(async () => {
      const stored = await this.ledgers().findOne({ _id: collectionOf(ledger) });
      return stored && { position: stored._position, state: stored.state };
    });
  }

  async dropState(ledger: AnyLedger): Promise<void> {
    await available(() =>
      this.ledgers().deleteOne({ _id: collectionOf(ledger) }, { writeConcern: this.writeConcern }),
    );
  }

  async insertRows(ledger: AnyLedger, rows: readonly LedgerRow[]): Promise<void> {
    await available(() =>
      this.db
        .collection<LedgerEntry>(collectionOf(ledger))
        .insertMany(
          rows.map(({ _id, doc }) => ({ _id, ...doc })),
          { ordered: false, writeConcern: this.writeConcern },
        )
        .catch(onlyDuplicateIds),
    );
  }

  async saveState(ledger: AnyLedger, { position, state }: LedgerState): Promise<void> {
    await available(() =>
      this.ledgers()
        .replaceOne(
          { _id: collectionOf(ledger), _position: { $lt: position } },
          { _position: position, state },
          { upsert: true, writeConcern: this.writeConcern },
        )
        .catch(onlyExisting),
    );
  }

  async positions(): Promise<Positions> {
    return available(async () => {
      const furthest = new Map<string, bigint>();
      for (const checkpoint of await this.checkpoints().find().toArray()) {
        for (const [readModel, position] of Object.entries(checkpoint.positions)) {
          const known = furthest.get(readModel);
          if (known === undefined || known < position) furthest.set(readModel, position);
        }
      }
      return furthest;
    });
  }

  async saveCheckpoint({ runner, epoch }: CheckpointHold, positions: Positions): Promise<void> {
    const forward = Object.fromEntries(
      [...positions].map(([readModel, position]) => [`positions.${readModel}`, position]),
    );
    await available(async () => {
      const { matchedCount } = await this.checkpoints().updateOne(
        { _id: runner, epoch },
        { $max: forward },
        { writeConcern: this.writeConcern },
      );
      if (matchedCount === 0) throw new CheckpointLostError(runner);
    });
  }

  private rows(projection: AnyProjection): Collection<Row> {
    return this.db.collection<Row>(collectionOf(projection));
  }

  private ledgers(): Collection<LedgerDocument> {
    return this.db.collection<LedgerDocument>('ledgers');
  }

  private checkpoints(): Collection<Checkpoint> {
    return this.db.collection<Checkpoint>('checkpoints');
  }

  private async createIndexes(readModel: AnyProjection | Journal | AnyLedger): Promise<void> {
    const specs = readModel.indexes.map(({ key, unique, sparse }: IndexSpec) => ({
      key: { ...key },
      ...(unique && { unique }),
      ...(sparse && { sparse }),
    }));
    if (specs.length > 0) await this.db.collection(collectionOf(readModel)).createIndexes(specs);
  }

  private async learnDynamicIndexes(projection: AnyProjection): Promise<void> {
    if (!projection.indexesFor) return;
    const known = new Set<string>();
    const collection = this.rows(projection);
    // Listing the indexes of a collection that is not there yet is an error on some servers and empty on others.
    const exists = await this.db
      .listCollections({ name: collection.collectionName }, { nameOnly: true })
      .hasNext();
    for (const { name } of exists ? await collection.listIndexes().toArray() : []) {
      if (name.startsWith(DYNAMIC_INDEX_PREFIX)) known.add(name.slice(DYNAMIC_INDEX_PREFIX.length));
    }
    this.dynamicIndexes.set(collection.collectionName, known);
  }

  /** The indexes that documents ask for (see Projection.indexesFor), before the first of them is written. */
  async createDynamicIndexes(projection: AnyProjection, docs: readonly (object | null)[]): Promise<void> {
    const indexesFor = projection.indexesFor as ((doc: object) => readonly string[]) | undefined;
    const known = this.dynamicIndexes.get(collectionOf(projection));
    if (!indexesFor || !known) return;
    for (const doc of docs) {
      for (const path of doc ? indexesFor(doc) : []) {
        if (known.has(path) || known.size >= DYNAMIC_INDEXES_MAX) continue;
        await this.rows(projection).createIndex(
          { [path]: 1, _id: 1 },
          { name: `${DYNAMIC_INDEX_PREFIX}${path}` },
        );
        known.add(path);
      }
    }
  }
}

/**
 * A new document is inserted, which fails where another runner was first; others are replaced where they are still behind.
 * Of a removed one id and position are left.
 */
const operationOf = ({ id, isNew, position, doc }: Change): AnyBulkWriteOperation<Row> =>
  isNew
    ? { insertOne: { document: { _id: id, _position: position, ...doc } } }
    : {
        replaceOne: {
          filter: { _id: id, _position: { $lt: position } },
          replacement: { _position: position, ...doc },
        },
      };

const isBare = (doc: object): boolean => {
  for (const _ in doc) return false;
  return true;
};

type Written = Readonly<{ insertedCount: number; matchedCount: number }>;

/** A document that is there already is no failure; a duplicate in any other unique index is one. */
const onlyDuplicateIds = (error: unknown): Written => {
  if (!(error instanceof MongoBulkWriteError)) throw error;
  const failures = [error.writeErrors].flat();
  const unconfirmed = error.result.getWriteConcernError() !== undefined;
  if (unconfirmed || failures.length === 0 || !failures.every(isDuplicateId)) throw error;
  return error;
};

/** An upsert whose guard did not hold collides with the document that is further on. */
const onlyExisting = (error: unknown): void => {
  if (!(error instanceof MongoError) || error.code !== DUPLICATE_KEY) throw error;
};

/** By the message, since the driver hands on no other sign of which index it was. */
const isDuplicateId = ({ code, errmsg }: WriteError): boolean =>
  code === DUPLICATE_KEY && /^E11000 duplicate key error collection: \S+ index: _id_ /.test(errmsg ?? '');

/** Codes of a server that is starting, stopping, changing its primary or out of time. */
const TRANSIENT_CODES = new Set([
  6, 7, 24, 50, 64, 89, 91, 112, 133, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436,
]);
const TRANSIENT_LABELS = ['RetryableWriteError', 'RetryableError', 'ResetPool', 'SystemOverloadedError'];

const isTransient = (error: unknown): boolean =>
  error instanceof MongoNetworkError ||
  error instanceof MongoServerSelectionError ||
  (error instanceof MongoError &&
    (TRANSIENT_CODES.has(Number(error.code)) ||
      TRANSIENT_LABELS.some((label) => error.hasErrorLabel(label)) ||
      /^Mongo(PoolCleared|NotConnected|TopologyClosed|ClientClosed|WaitQueueTimeout)/.test(error.name)));

/** The server refused a write because a unique index has its key already. */
export const isDuplicateKey = (error: unknown): boolean =>
  error instanceof MongoError && error.code === DUPLICATE_KEY;

/** Says in the port's own terms that the server was to blame and not the call. */
export const available = async <T>(call: () => Promise<T>): Promise<T> => {
  try {
    return await call();
  } catch (error) {
    throw isTransient(error) ? new ReadStoreUnavailableError({ cause: error }) : error;
  }
};
