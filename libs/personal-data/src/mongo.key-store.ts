import { setTimeout as sleep } from 'node:timers/promises';
import { Binary, MongoServerError, type Collection, type MongoClient, type WithId } from 'mongodb';
import { newMongoClient } from '@app/mongo-client';
import { KeyRingSetupError, KeyRingUnavailableError } from './key-ring.errors';
import { KeyStore, type KeyRecord, type Rewrapping, type Tombstone, type WrappedKey } from './key-store.port';

export type MongoKeyStoreOptions = Readonly<{
  /** Its path names the database, `regulars_keys` without. */
  url: string;
  /** Outdoes the path. */
  dbName?: string;
}>;

type ActiveDocument = Readonly<{ _id: string; kek: number; wrapped: Binary }>;
type DestroyedDocument = Readonly<{ _id: string; at: Date; seq: number }>;
type KeyDocument = ActiveDocument | DestroyedDocument;
type NoteDocument = Readonly<{ _id: string; value: string }>;

const DATABASE = 'regulars_keys';
const SERVER_SELECTION_TIMEOUT_MS = 3_000;
const SOCKET_TIMEOUT_MS = 10_000;
const DUPLICATE_KEY = 11_000;
const DESTROY_TRIES_MAX = 100;
const DESTROY_BACKOFF_MS = 20;

/**
 * Keys in a MongoDB of their own, for several machines. A key is one document; its tombstone replaces it, and carries its
 * place in the list of destroyed keys, so that both happen at once. Everything is acknowledged by a majority and its journals, and
 * read from the primary as a majority has it.
 */
export class MongoKeyStore extends KeyStore {
  readonly unnoticedMs = { sealing: 250, opening: 1_000 };

  private constructor(
    private readonly client: MongoClient,
    private readonly keys: Collection<KeyDocument>,
    private readonly notes: Collection<NoteDocument>,
  ) {
    super();
  }

  /** Throws KeyRingSetupError where the address is none, or nobody answers there. */
  static async open({ url, dbName }: MongoKeyStoreOptions): Promise<MongoKeyStore> {
    let client: MongoClient;
    try {
      client = newMongoClient(url, {
        appName: 'regulars-keys',
        serverSelectionTimeoutMS: SERVER_SELECTION_TIMEOUT_MS,
        connectTimeoutMS: SERVER_SELECTION_TIMEOUT_MS,
        socketTimeoutMS: SOCKET_TIMEOUT_MS,
        writeConcern: { w: 'majority', journal: true },
        readConcern: { level: 'majority' },
        readPreference: 'primary',
        ignoreUndefined: true,
      });
    } catch {
      // Not as the cause: its message may repeat the address, which may hold a password.
      throw new KeyRingSetupError('KEYRING_URL is not an address that the MongoDB driver takes.');
    }
    const db = client.db(dbName ?? databaseOf(url));
    const store = new MongoKeyStore(client, db.collection('keys'), db.collection('notes'));
    try {
      await store.tried(async () => {
        await client.connect();
        await store.keys.createIndex({ seq: 1 }, { unique: true, sparse: true });
      });
      return store;
    } catch (error) {
      await client.close();
      const { message } = (error as Error).cause as Error;
      throw new KeyRingSetupError(`The MongoDB of the key ring (KEYRING_URL) cannot be used: ${message}`);
    }
  }

  async read(name: string): Promise<KeyRecord | null> {
    const document = await this.tried(() => this.keys.findOne({ _id: name }));
    return document && recordOf(document);
  }

  override readAtHand(): undefined {
    return undefined;
  }

  async create(name: string, { kek, wrapped }: WrappedKey): Promise<KeyRecord> {
    return this.tried(async () => {
      try {
        await this.keys.insertOne({ _id: name, kek, wrapped: new Binary(wrapped) });
        return { kind: 'active', kek, wrapped };
      } catch (error) {
        if (!isDuplicate(error)) throw error;
      }
      const document = await this.keys.findOne({ _id: name });
      // Another process has just written it, and a majority does not have it yet.
      if (document === null) throw new Error('A key of another process is not durable yet.');
      return recordOf(document);
    });
  }

  async rewrap(changes: readonly Rewrapping[]): Promise<void> {
    if (changes.length === 0) return;
    await this.tried(() =>
      this.keys.bulkWrite(
        changes.map(({ name, from, to }) => ({
          replaceOne: {
            filter: { _id: name, kek: from.kek, wrapped: new Binary(from.wrapped) },
            replacement: { kek: to.kek, wrapped: new Binary(to.wrapped) },
          },
        })),
        { ordered: false },
      ),
    );
  }

  async destroy(name: string, at: number): Promise<number> {
    return this.tried(async () => {
      for (let attempt = 0; attempt < DESTROY_TRIES_MAX; attempt += 1) {
        const found = await this.keys.findOne({ _id: name });
        if (found !== null && isDestroyed(found)) return found.at.getTime();
        const seq = (await this.newestTombstone()) + 1;
        try {
          await this.keys.replaceOne(
            { _id: name, seq: { $exists: false } },
            { at: new Date(at), seq },
            { upsert: true },
          );
        } catch (error) {
          // Another destruction took this place in the list, or was that of this key.
          if (!isDuplicate(error)) throw error;
          await sleep(Math.random() * DESTROY_BACKOFF_MS);
        }
      }
      throw new Error('Too many keys are destroyed at once.');
    });
  }

  async page(after: string | null, limit: number): Promise<readonly (readonly [string, KeyRecord])[]> {
    const documents = await this.tried(() =>
      this.keys
        .find(after === null ? {} : { _id: { $gt: after } })
        .sort({ _id: 1 })
        .limit(limit)
        .toArray(),
    );
    return documents.map((document) => [document._id, recordOf(document)] as const);
  }

  async tombstones(fromSeq: number, limit: number): Promise<readonly Tombstone[]> {
    const documents = await this.tried(() =>
      this.keys
        .find({ seq: { $gte: fromSeq } })
        .sort({ seq: 1 })
        .limit(limit)
        .toArray(),
    );
    return (documents as WithId<DestroyedDocument>[]).map(({ _id, seq, at }) => ({
      seq,
      name: _id,
      at: at.getTime(),
    }));
  }

  override tombstonesAtHand(): undefined {
    return undefined;
  }

  async newestTombstone(): Promise<number> {
    const [newest] = await this.tried(() =>
      this.keys
        .find({ seq: { $gte: 1 } })
        .sort({ seq: -1 })
        .limit(1)
        .toArray(),
    );
    return newest !== undefined && isDestroyed(newest) ? newest.seq : 0;
  }

  async note(name: string): Promise<string | null> {
    return (await this.tried(() => this.notes.findOne({ _id: name })))?.value ?? null;
  }

  async replaceNote(name: string, from: string | null, to: string): Promise<boolean> {
    return this.tried(async () => {
      if (from !== null) {
        const { matchedCount } = await this.notes.updateOne(
          { _id: name, value: from },
          { $set: { value: to } },
        );
        return matchedCount === 1;
      }
      try {
        await this.notes.insertOne({ _id: name, value: to });
        return true;
      } catch (error) {
        if (isDuplicate(error)) return false;
        throw error;
      }
    });
  }

  async close(): Promise<void> {
    await this.client.close();
  }

  private async tried<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (error instanceof KeyRingUnavailableError) throw error;
      throw new KeyRingUnavailableError(withoutDocuments(error));
    }
  }
}

const isDestroyed = (document: KeyDocument): document is DestroyedDocument => 'seq' in document;

const recordOf = (document: KeyDocument): KeyRecord =>
  isDestroyed(document)
    ? { kind: 'destroyed', at: document.at.getTime() }
    : { kind: 'active', kek: document.kek, wrapped: Buffer.from(document.wrapped.buffer) };

const isDuplicate = (error: unknown): boolean =>
  error instanceof MongoServerError && error.code === DUPLICATE_KEY;

/** What the driver throws may hold whole commands, with wrapped keys in them. */
const withoutDocuments = (error: unknown): Error => {
  const { name, code, message } = error as Error & { code?: unknown };
  const isOfServer = /^Mongo(Server|BulkWrite|WriteConcern)Error$/.test(name);
  return new Error(
    `${name}${code === undefined ? '' : ` ${String(code)}`}${isOfServer ? '' : `: ${message}`}`,
  );
};

/** The path of a connection string; hosts may be a list, which URL does not parse. */
const databaseOf = (url: string): string =>
  /^mongodb(?:\+srv)?:\/\/[^/?]+\/([^?]+)/.exec(url)?.[1] ?? DATABASE;
