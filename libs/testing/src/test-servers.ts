import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedEventStore } from '@app/embedded-eventstoredb';
import { startEmbeddedMongo } from '@app/embedded-mongodb';
import { realMongod, startMongod } from './real-mongod';

/** A MongoDB server and a database on it that nobody else uses. */
export type TestMongo = Readonly<{ url: string; dbName: string; close: () => Promise<void> }>;
export type TestEventStore = Readonly<{ connectionString: string; close: () => Promise<void> }>;
export type TestServers = Readonly<{
  eventStoreUrl: string;
  mongodbUrl: string;
  mongodbName: string;
  close: () => Promise<void>;
}>;

const uniqueName = (): string => `test-${randomUUID()}`;

/** The embedded document store, with an empty folder. */
export const startEmbeddedTestMongo = async (): Promise<TestMongo> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'regulars-mongo-'));
  const server = await startEmbeddedMongo({ dataDir, port: 0 });
  return {
    url: server.url,
    dbName: uniqueName(),
    close: async () => {
      await server.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};

/** A real server of this machine; null where there is none to start. */
export const startRealTestMongo = async (): Promise<TestMongo | null> => {
  const path = realMongod();
  if (!path) return null;
  const { url, stop } = await startMongod(path);
  return { url, dbName: uniqueName(), close: stop };
};

/** Servers that one suite is to agree on, by name, each with whether it can be started here. */
export const TEST_MONGOS: readonly (readonly [
  name: string,
  start: () => Promise<TestMongo | null>,
  available: boolean,
])[] = [
  ['the embedded document store', startEmbeddedTestMongo, true],
  ['a real MongoDB', startRealTestMongo, realMongod() !== null],
];

/** The server that MONGODB_URL names, else the embedded one. */
export const startTestMongo = async (): Promise<TestMongo> => {
  const url = process.env['MONGODB_URL'];
  return url ? { url, dbName: uniqueName(), close: async () => undefined } : startEmbeddedTestMongo();
};

/** The server that EVENTSTORE_URL names, whatever is in it, else an empty embedded one. */
export const startTestEventStore = async (): Promise<TestEventStore> => {
  const connectionString = process.env['EVENTSTORE_URL'];
  if (connectionString) return { connectionString, close: async () => undefined };
  const dataDir = await mkdtemp(join(tmpdir(), 'regulars-events-'));
  const server = await startEmbeddedEventStore({ dataDir, port: 0 });
  return {
    connectionString: server.connectionString,
    close: async () => {
      await server.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};

/** Both servers. */
export const startTestServers = async (): Promise<TestServers> => {
  const [events, mongo] = await Promise.all([startTestEventStore(), startTestMongo()]);
  return {
    eventStoreUrl: events.connectionString,
    mongodbUrl: mongo.url,
    mongodbName: mongo.dbName,
    close: async () => void (await Promise.all([events.close(), mongo.close()])),
  };
};
