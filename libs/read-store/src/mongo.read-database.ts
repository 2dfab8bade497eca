import type { Db } from 'mongodb';
import { newMongoClient } from '@app/mongo-client';
import { ReadStoreUnavailableError } from './read-store.errors';

export type ReadDatabaseOptions = Readonly<{ url: string; dbName: string }>;

export type ReadDatabase = Readonly<{ db: Db; close: () => Promise<void> }>;

/** Nest token of the read database's `Db`. */
export const READ_DB = Symbol('READ_DB');

const SERVER_SELECTION_TIMEOUT_MS = 10_000;

/**
 * Connects to the read database. 64-bit integers come back as bigint, since a position does not fit a number, and absent
 * values stay absent instead of becoming null. Throws ReadStoreUnavailableError where no server answers within 10 s, or
 * what the connection string says of it.
 */
export const openReadDatabase = async ({ url, dbName }: ReadDatabaseOptions): Promise<ReadDatabase> => {
  const client = newMongoClient(url, {
    appName: 'regulars',
    useBigInt64: true,
    ignoreUndefined: true,
    // What is given here would outdo the connection string.
    ...(!/[?&]serverSelectionTimeoutMS=/.test(url) && {
      serverSelectionTimeoutMS: SERVER_SELECTION_TIMEOUT_MS,
    }),
  });
  try {
    await client.connect();
  } catch (error) {
    await client.close();
    throw new ReadStoreUnavailableError({ cause: error });
  }
  return { db: client.db(dbName), close: () => client.close() };
};
