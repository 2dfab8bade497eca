import { afterPrefix } from '../bson/key-encoding';
import { CommandError } from '../command.error';
import { Collection, StoredCollection } from './collection';
import { Index, StoredIndex } from './index-key';
import { KeyRange, Store } from './store';

const KEY = Buffer.from([0, 0, 0, 0]);
const FIRST_ID = 16;
const PURGE_CHUNK = 500;
const COLLECTIONS_MAX = 10_000;
const INDEXES_MAX = 64;
const NAMESPACE_LENGTH_MAX = 255;

type StoredCatalog = {
  format: 1;
  nextId: number;
  collections: Record<string, StoredCollection>;
  /** Ids of dropped collections and indexes whose keys are still to be removed. */
  dropped: number[];
};

/** Which collections and indexes there are. Kept in memory, stored with every transaction that changes it. */
export class Catalog {
  private readonly stored: StoredCatalog;
  private readonly collections = new Map<string, Collection>();

  constructor(private readonly store: Store) {
    const found = store.get(KEY);
    this.stored = found
      ? (JSON.parse(found.toString()) as StoredCatalog)
      : { format: 1, nextId: FIRST_ID, collections: Object.create(null), dropped: [] };
    for (const [namespace, stored] of Object.entries(this.stored.collections)) {
      // A half-built index is of no use after a restart: its command got no answer.
      const building = stored.indexes.filter((index) => index.building);
      stored.indexes = stored.indexes.filter((index) => !index.building);
      this.stored.dropped.push(...building.map((index) => index.id));
      this.collections.set(namespace, this.opened(namespace, stored));
    }
  }

  private opened(namespace: string, stored: StoredCollection): Collection {
    return new Collection(this.store, namespace, stored, () => this.save());
  }

  /** To be called inside a write transaction, as all methods below that change something. */
  private save(): void {
    this.store.put(KEY, Buffer.from(JSON.stringify(this.stored)));
  }

  find(namespace: string): Collection | undefined {
    return this.collections.get(namespace);
  }

  all(): Collection[] {
    return [...this.collections.values()];
  }

  inDatabase(database: string): Collection[] {
    return [...this.collections.values()].filter(({ namespace }) => namespace.startsWith(`${database}.`));
  }

  databases(): string[] {
    return [
      ...new Set([...this.collections.keys()].map((namespace) => namespace.slice(0, namespace.indexOf('.')))),
    ];
  }

  findOrCreate(namespace: string): Collection {
    return this.collections.get(namespace) ?? this.create(namespace);
  }

  create(namespace: string): Collection {
    checkNamespace(namespace);
    if (this.collections.has(namespace)) {
      throw new CommandError(48, `Collection ${namespace} already exists.`);
    }
    if (this.collections.size >= COLLECTIONS_MAX)
      throw new CommandError(72, `more than ${COLLECTIONS_MAX} collections`);
    const id = this.stored.nextId;
    const idIndex: StoredIndex = {
      id: id + 1,
      name: '_id_',
      key: [['_id', 1]],
      unique: true,
      sparse: false,
      multikey: [false],
      inexact: false,
      building: false,
    };
    this.stored.nextId = id + 2;
    const stored: StoredCollection = { id, indexes: [idIndex] };
    this.stored.collections[namespace] = stored;
    const collection = this.opened(namespace, stored);
    this.collections.set(namespace, collection);
    this.save();
    return collection;
  }

  drop(collection: Collection): void {
    collection.alive = false;
    delete this.stored.collections[collection.namespace];
    this.collections.delete(collection.namespace);
    this.stored.dropped.push(collection.stored.id, ...collection.stored.indexes.map((index) => index.id));
    this.save();
  }

  rename(collection: Collection, to: string, dropTarget: boolean): void {
    checkNamespace(to);
    const target = this.collections.get(to);
    if (target && !dropTarget) throw new CommandError(48, 'target namespace exists');
    if (target) this.drop(target);
    delete this.stored.collections[collection.namespace];
    this.collections.delete(collection.namespace);
    collection.namespace = to;
    this.stored.collections[to] = collection.stored;
    this.collections.set(to, collection);
    this.save();
  }

  /** Registers an index, to be kept up by writes from now on and filled by `Collection.buildEntries`. */
  addIndex(
    collection: Collection,
    spec: Omit<StoredIndex, 'id' | 'multikey' | 'inexact' | 'building'>,
  ): Index {
    if (collection.indexes.length >= INDEXES_MAX) {
      throw new CommandError(67, `add index fails, too many indexes for ${collection.namespace}`);
    }
    const stored: StoredIndex = {
      ...spec,
      id: this.stored.nextId,
      multikey: spec.key.map(() => false),
      inexact: false,
      building: collection.count > 0,
    };
    this.stored.nextId += 1;
    collection.stored.indexes.push(stored);
    const index = new Index(stored);
    collection.indexes.push(index);
    this.save();
    return index;
  }

  finishIndex(index: Index): void {
    index.stored.building = false;
    this.save();
  }

  dropIndex(collection: Collection, index: Index): void {
    collection.stored.indexes = collection.stored.indexes.filter((stored) => stored !== index.stored);
    collection.indexes = collection.indexes.filter((other) => other !== index);
    this.stored.dropped.push(index.stored.id);
    this.save();
  }

  get hasDropped(): boolean {
    return this.stored.dropped.length > 0;
  }

  /** Removes some keys of what was dropped; returns whether there is more to do. */
  purgeSome(): boolean {
    const [id] = this.stored.dropped;
    if (id === undefined) return false;
    const keys = this.store.keys(rangeOf(id), PURGE_CHUNK);
    for (const key of keys) this.store.remove(key);
    if (keys.length < PURGE_CHUNK) {
      this.stored.dropped.shift();
      this.save();
    }
    return this.hasDropped;
  }
}

const rangeOf = (id: number): KeyRange => {
  const start = Buffer.alloc(4);
  start.writeUInt32BE(id);
  return { start, end: afterPrefix(start) };
};

const checkNamespace = (namespace: string): void => {
  const dot = namespace.indexOf('.');
  const collection = namespace.slice(dot + 1);
  const isValid =
    dot > 0 &&
    collection !== '' &&
    !collection.startsWith('.') &&
    !collection.endsWith('.') &&
    !/[\0$]/.test(collection) &&
    !collection.startsWith('system.');
  if (!isValid || Buffer.byteLength(namespace) > NAMESPACE_LENGTH_MAX) {
    throw new CommandError(73, `Invalid namespace specified '${namespace}'`);
  }
};
