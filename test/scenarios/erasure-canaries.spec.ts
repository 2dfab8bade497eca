import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BSON, MongoClient } from 'mongodb';
import { eventually, startRealTestMongo, type TestMongo } from '@app/testing';
import { ERASED, holding, holds, LIVING, plant } from './canaries';
import { newDataDir, RunningSystem, runToEnd } from './running-system';

/** Every other one of them is erased. CANARY_CONTACTS=100 is the full size. */
const CONTACTS = Number(process.env['CANARY_CONTACTS'] ?? 10);
const PLANTED_AT_ONCE = 10;

jest.setTimeout(600_000 + CONTACTS * 10_000);

type Person = Readonly<{ contactId: string; n: number; erased: boolean }>;

const people = (): readonly Person[] =>
  Array.from({ length: CONTACTS }, (_, n) => ({ contactId: randomUUID(), n, erased: n % 2 === 0 }));

const plantAll = async (system: RunningSystem, persons: readonly Person[]): Promise<void> => {
  for (let first = 0; first < persons.length; first += PLANTED_AT_ONCE)
    await Promise.all(
      persons
        .slice(first, first + PLANTED_AT_ONCE)
        .map(({ contactId, n, erased }) => plant(system, contactId, n, erased ? ERASED : LIVING)),
    );
};

const erase = async (system: RunningSystem, persons: readonly Person[]): Promise<void> => {
  const list = join(system.dataDir, 'ids.txt');
  const ids = persons.flatMap(({ contactId, erased }) => (erased ? [contactId] : []));
  writeFileSync(list, ids.join('\n'));
  const { code, output } = await runToEnd('ops', ['erase', '--url', system.url, '--file', list, '--wait'], {
    REGULARS_DATA_DIR: system.dataDir,
  });
  expect([code, output.includes(`${ids.length} erased, 0 had been before, 0 unknown`)]).toEqual([0, true]);
};

/** What the live feed says from the beginning of the log up to a position, and goes on saying until it is closed. */
const liveFeed = (system: RunningSystem): Readonly<{ text: () => string; close: () => Promise<void> }> => {
  const closing = new AbortController();
  let text = '';
  const reading = (async () => {
    const response = await fetch(`${system.url}/v1/activity/live?lastEventId=0`, {
      headers: { authorization: `Bearer ${system.adminKey}` },
      signal: closing.signal,
    });
    for await (const chunk of response.body as ReadableStream<Uint8Array>)
      text += Buffer.from(chunk).toString('utf8');
  })().catch((error: Error) => {
    if (!closing.signal.aborted) text += `The feed broke: ${error.message}`;
  });
  const close = async (): Promise<void> => {
    closing.abort();
    await reading;
  };
  return { text: () => text, close };
};

const asOf = ({ body }: { body: Record<string, unknown> }): string =>
  `minPosition=${String(body['position'])}`;

describe('values of erased contacts', () => {
  let system: RunningSystem;
  const dataDir = newDataDir();
  const snapshots = newDataDir();
  afterAll(async () => {
    await system?.stop();
    for (const folder of [dataDir, snapshots]) rmSync(folder, { recursive: true, force: true });
  });

  /** Of every thread of the running system, in a folder. */
  const snapshot = async (name: string): Promise<string> => {
    const folder = join(snapshots, name);
    writeFileSync(join(folder, 'wanted'), '');
    const written = (): readonly string[] =>
      readdirSync(folder).filter((file) => file.endsWith('.heapsnapshot'));
    // The api's own, the projector's and those of both stores.
    await eventually('every thread has written its heap', () => written().length >= 4);
    await eventually(
      'none is half written',
      () => !readdirSync(folder).some((file) => file.endsWith('.partial')),
    );
    return folder;
  };
  const withSnapshots = (name: string): Record<string, string> => {
    const folder = join(snapshots, name);
    mkdirSync(folder);
    return {
      NODE_OPTIONS: `--require ${join(__dirname, 'heap-snapshots.cjs')}`,
      HEAP_SNAPSHOTS: folder,
      LOG_LEVEL: 'trace',
    };
  };

  it('are nowhere in any file, output, feed or heap, in whatever form; of the others only where they are marked', async () => {
    system = await RunningSystem.start({ dataDir, environment: { LOG_LEVEL: 'trace' } });
    const persons = people();
    const feed = liveFeed(system);
    await plantAll(system, persons);
    // The search finds what is there.
    expect(holding(dataDir, LIVING).length).toBeGreaterThan(0);
    expect(holding(dataDir, ERASED).length).toBeGreaterThan(0);
    const before = await system.call('GET', '/v1/contacts/summary');

    await erase(system, persons);
    const marker = await system.call('POST', '/v1/contacts', { body: { profile: {} } });
    await eventually('the feed has got there', () => feed.text().includes(String(marker.body['contactId'])));
    await feed.close();
    expect(feed.text()).not.toContain('The feed broke');
    // Opened anew, it is read from the store.
    const again = liveFeed(system);
    await eventually('the feed has got there', () => again.text().includes(String(marker.body['contactId'])));
    await again.close();
    const answers = await Promise.all(
      ['/metrics', '/v1/privacy-log?limit=500', '/v1/activity?limit=500', '/v1/contacts?limit=500'].map(
        async (path) => JSON.stringify((await system.call('GET', path)).body),
      ),
    );
    for (const text of [...answers, again.text()]) expect(holds(Buffer.from(text), ERASED)).toBe(false);
    // Feeds and figures have nothing of anybody.
    for (const text of [...answers.slice(0, 3), feed.text(), again.text()])
      expect(holds(Buffer.from(text), [...ERASED, ...LIVING])).toBe(false);
    for (const { contactId, erased } of persons) {
      const { status, body } = await system.call('GET', `/v1/contacts/${contactId}/subject-access`);
      expect([status, holds(Buffer.from(JSON.stringify(body)), LIVING)]).toEqual(
        erased ? [410, false] : [200, true],
      );
      expect((await system.call('GET', `/v1/contacts/${contactId}`)).status).toBe(erased ? 410 : 200);
    }
    const after = await system.call('GET', `/v1/contacts/summary?${asOf(marker)}`);
    for (const figure of ['purchases', 'spend', 'checkIns'])
      expect(after.body[figure]).toEqual(before.body[figure]);
    expect(after.body['total']).toBe(CONTACTS / 2 + 1);

    await system.stop();
    expect(holding(dataDir, ERASED)).toEqual([]);
    expect(holding(join(dataDir, 'eventstore'), LIVING)).toEqual([]);
    expect(holding(join(dataDir, 'keys'), LIVING)).toEqual([]);
    expect(holds(Buffer.from(system.output()), [...ERASED, ...LIVING])).toBe(false);

    // Built again from the first event, the read models hold the same, and so does the memory of who built them.
    rmSync(join(dataDir, 'mongodb'), { recursive: true });
    system = await RunningSystem.start({ dataDir, environment: withSnapshots('rebuilt') });
    const rebuilt = await system.call('GET', `/v1/contacts/summary?${asOf(marker)}`);
    expect({ ...rebuilt.body, asOfPosition: '' }).toEqual({ ...after.body, asOfPosition: '' });
    const rebuiltHeap = await snapshot('rebuilt');
    expect(holding(rebuiltHeap, ERASED)).toEqual([]);
    // The search finds what is there: the store keeps documents at hand.
    expect(holding(rebuiltHeap, LIVING).length).toBeGreaterThan(0);
    await system.stop();
    expect(holding(dataDir, ERASED)).toEqual([]);
    expect(holding(join(dataDir, 'mongodb'), LIVING).length).toBeGreaterThan(0);
    expect(holds(Buffer.from(system.output()), [...ERASED, ...LIVING])).toBe(false);
  });
});

describe('values of erased contacts, on a MongoDB', () => {
  let mongo: TestMongo | null = null;
  let system: RunningSystem | undefined;
  const dataDir = newDataDir();
  afterAll(async () => {
    await system?.stop();
    await mongo?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** Collections with a document in which one of the texts stands, of all databases but the server's own. */
  const collectionsHolding = async (client: MongoClient, texts: readonly string[]): Promise<string[]> => {
    const found: string[] = [];
    const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true });
    for (const { name } of databases.filter(
      (database) => !['admin', 'config', 'local'].includes(database.name),
    ))
      for (const collection of await client.db(name).collections())
        for await (const document of collection.find()) {
          if (!holds(Buffer.from(BSON.serialize(document)), texts)) continue;
          found.push(collection.collectionName);
          break;
        }
    return found;
  };

  it('are in no document, and the receipt says what remains until when', async () => {
    mongo = await startRealTestMongo();
    if (mongo === null) return;
    const url = new URL(mongo.url);
    url.pathname = `/${mongo.dbName}`;
    const environment = { MONGODB_URL: url.href, LOG_LEVEL: 'trace' };
    const start = (): Promise<RunningSystem> => RunningSystem.start({ dataDir, environment });
    const client = await MongoClient.connect(mongo.url);
    try {
      system = await start();
      const persons = people();
      await plantAll(system, persons);
      expect(await collectionsHolding(client, ERASED)).not.toEqual([]);
      await erase(system, persons);
      const marker = await system.call('POST', '/v1/contacts', { body: { profile: {} } });
      await system.call('GET', `/v1/contacts/summary?${asOf(marker)}`);
      expect(await collectionsHolding(client, ERASED)).toEqual([]);
      expect(await collectionsHolding(client, LIVING)).toEqual(['contacts_v3']);
      for (const { contactId, erased } of persons) {
        if (!erased) continue;
        const { body } = await system.call('GET', `/v1/contacts/${contactId}/erasure`);
        expect(body['receipt']).toMatchObject({
          stage: 'purged',
          stores: expect.arrayContaining([
            expect.objectContaining({
              store: 'documents',
              after: 0,
              remains: expect.stringMatching(/oplog/),
            }),
          ]),
        });
      }
      await system.stop();
      expect(holding(dataDir, [...ERASED, ...LIVING])).toEqual([]);
      expect(holds(Buffer.from(system.output()), [...ERASED, ...LIVING])).toBe(false);
      await client.db(mongo.dbName).dropDatabase();
      system = await start();
      await system.call('GET', `/v1/contacts/summary?${asOf(marker)}`);
      expect(await collectionsHolding(client, ERASED)).toEqual([]);
      expect(await collectionsHolding(client, LIVING)).toEqual(['contacts_v3']);
    } finally {
      await client.close();
    }
  });
});
