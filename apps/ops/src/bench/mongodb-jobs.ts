import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient, type Document } from 'mongodb';
import type { Handlers } from './jobs';

const POLL_MS = 10;
/** As the projector writes. */
const DURABLE = { w: 'majority', journal: true } as const;

const withClient = async <Answer>(
  mongodbUrl: string,
  use: (client: MongoClient) => Promise<Answer>,
): Promise<Answer> => {
  const client = new MongoClient(mongodbUrl, { useBigInt64: true, ignoreUndefined: true });
  try {
    return await use(await client.connect());
  } finally {
    await client.close();
  }
};

/** Least position of all read models; null while there is no checkpoint. */
const positionIn = async (client: MongoClient, dbName: string): Promise<bigint | null> => {
  const [checkpoint] = await client.db(dbName).collection('checkpoints').find().toArray();
  const positions = Object.values((checkpoint?.['positions'] ?? {}) as Record<string, bigint | number>).map(
    BigInt,
  );
  return positions.length === 0 ? null : positions.reduce((least, at) => (at < least ? at : least));
};

export const runMongodbJob = {
  catchUp: ({ mongodbUrl, dbName, position, timeoutMs }) =>
    withClient(mongodbUrl, async (client) => {
      const target = BigInt(position);
      const deadline = performance.now() + timeoutMs;
      let first: { at: number; position: bigint } | undefined;
      for (;;) {
        const reached = await positionIn(client, dbName);
        const at = performance.now();
        if (reached !== null) first ??= { at, position: reached };
        if (first && reached !== null && reached >= target) {
          return {
            seconds: (at - first.at) / 1_000,
            share: 1 - Number(first.position) / Number(target),
            collections: await collectionsOf(client, dbName),
          };
        }
        if (at > deadline)
          throw new Error(`The projector was at ${reached} of ${target} after ${timeoutMs} ms.`);
        await delay(POLL_MS);
      }
    }),

  rawReplace: ({ mongodbUrl, fromDb, toDb, bulkSize, inFlight }) =>
    withClient(mongodbUrl, async (client) => {
      let documents = 0;
      let milliseconds = 0;
      for (const { name } of await collectionsOf(client, fromDb)) {
        const target = client.db(toDb).collection(name);
        const indexes = await client.db(fromDb).collection(name).listIndexes().toArray();
        const secondary = indexes
          .filter(({ name: index }) => index !== '_id_')
          .map(({ v: _, ...index }) => index);
        if (secondary.length > 0)
          await target.createIndexes(secondary as Parameters<typeof target.createIndexes>[0]);
        let bulks: Document[][] = [[]];
        const write = async (): Promise<void> => {
          const startedAt = performance.now();
          await Promise.all(
            bulks.map((bulk) =>
              target.bulkWrite(
                bulk.map((replacement) => ({
                  replaceOne: { filter: { _id: replacement['_id'] }, replacement, upsert: true },
                })),
                // As the projector does it.
                { ordered: false, writeConcern: client.db(toDb).writeConcern ?? DURABLE },
              ),
            ),
          );
          milliseconds += performance.now() - startedAt;
          bulks = [[]];
        };
        for await (const document of client.db(fromDb).collection(name).find()) {
          if (bulks.at(-1)!.length === bulkSize) {
            if (bulks.length === inFlight) await write();
            else bulks.push([]);
          }
          bulks.at(-1)!.push(document);
          documents += 1;
        }
        if (bulks[0]!.length > 0) await write();
      }
      return { documents, seconds: milliseconds / 1_000, perSecond: documents / (milliseconds / 1_000) };
    }),

  dropDatabase: ({ mongodbUrl, dbName }) =>
    withClient(mongodbUrl, async (client) => {
      await client.db(dbName).dropDatabase();
      return {};
    }),
} satisfies Handlers;

/** The read models' collections: those with a version in their name. */
const collectionsOf = async (client: MongoClient, dbName: string) => {
  const db = client.db(dbName);
  const names = (await db.listCollections({}, { nameOnly: true }).toArray())
    .map(({ name }) => name)
    .filter((name) => /_v\d+$/.test(name));
  return Promise.all(
    names.sort().map(async (name) => ({
      name,
      documents: await db.collection(name).countDocuments(),
      indexes: (await db.collection(name).listIndexes().toArray()).length,
    })),
  );
};
