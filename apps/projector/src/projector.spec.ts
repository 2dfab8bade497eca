import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { createLogger, loadConfig, type Config, type Servers } from '@app/config';
import { contactStream, type ContactEvent } from '@app/contacts';
import { EventStore } from '@app/event-store';
import { READ_DB, ReadGate, MongoReadStore, openReadDatabase } from '@app/read-store';
import { commandContext, eventually, startTestServers, type TestServers } from '@app/testing';
import type { Db } from 'mongodb';
import { ProjectorModule } from './projector.module';
import { readModels } from '@app/system';
import { startProjector } from './start-projector';
import { startProjectorThread } from './start-projector-thread';

describe('the projector', () => {
  let testServers: TestServers;
  let servers: Servers;
  let config: Config;
  let directory: string;
  let app: Awaited<ReturnType<typeof NestFactory.createApplicationContext>>;
  const logger = createLogger('projector', 'silent');

  beforeAll(async () => {
    testServers = await startTestServers();
    servers = { eventStoreUrl: testServers.eventStoreUrl, mongodbUrl: testServers.mongodbUrl };
    directory = await mkdtemp(join(tmpdir(), 'regulars-projector-'));
    config = { ...loadConfig({ LOG_LEVEL: 'silent' }, directory), mongodbName: testServers.mongodbName };
    app = await NestFactory.createApplicationContext(ProjectorModule.forRoot(config, servers), {
      logger: false,
    });
  });
  afterAll(async () => {
    await app?.get<Db>(READ_DB).dropDatabase();
    await app?.close();
    await testServers?.close();
    await rm(directory, { recursive: true, force: true });
  });

  const register = async (): Promise<Readonly<{ contactId: string; position: bigint }>> => {
    const contactId = randomUUID();
    const context = commandContext({ commandId: randomUUID(), deadlineMs: Date.now() + 60_000 });
    const registered: ContactEvent = {
      type: 'contacts.ContactRegistered.v1',
      data: { contactId, occurredAt: context.now, source: 'app', profile: { firstName: 'Ada' } },
    };
    const { position } = await app
      .get(EventStore)
      .append(contactStream(contactId), [registered], 'no-stream', context);
    return { contactId, position };
  };

  const collections = () =>
    [...readModels.projections, ...readModels.journals, ...readModels.ledgers].map(
      ({ name, version }) => `${name}_v${version}`,
    );

  it('folds every read model, and says how far it is', async () => {
    const projector = await startProjector({ config: { ...config, projectorPort: 0 }, servers, logger });
    const { contactId, position } = await register();
    expect(await app.get(ReadGate).wait(position)).toBeGreaterThanOrEqual(position);
    const stored = await app
      .get<Db>(READ_DB)
      .collection<{ _id: string }>('contacts_v3')
      .findOne({ _id: contactId });
    expect(stored).not.toBeNull();
    await eventually('it knows', async () => (await projector.status()).position === position.toString());
    expect(await projector.status()).toMatchObject({ state: 'running', lag: '0', head: position.toString() });
    await projector.close();
    expect([...(await new MongoReadStore(app.get(READ_DB)).positions()).keys()].sort()).toEqual(
      collections().sort(),
    );
  });

  it('goes on in a thread where it stopped, and ends when told to', async () => {
    const { position } = await register();
    const projector = await startProjectorThread({ config, servers });
    expect(await app.get(ReadGate).wait(position)).toBeGreaterThanOrEqual(position);
    await projector.close();
  });

  it('says why it cannot start', async () => {
    const wrong = { ...servers, mongodbUrl: 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200' };
    await expect(startProjector({ config, servers: wrong, logger })).rejects.toThrow(
      'The read database is not available.',
    );
  });

  it('stops at a read database that was built from another log', async () => {
    const { db, close } = await openReadDatabase({
      url: servers.mongodbUrl,
      dbName: `${config.mongodbName}-2`,
    });
    const store = new MongoReadStore(db);
    const hold = await store.open('projector', readModels);
    await store.saveCheckpoint(hold, new Map([[collections()[0] as string, 2n ** 62n]]));
    const projector = await startProjector({
      config: { ...config, mongodbName: `${config.mongodbName}-2` },
      servers,
      logger,
    });
    expect((await projector.failed).message).toMatch(/built from another event store/);
    expect(await projector.status()).toMatchObject({ state: 'failed', error: 'ForeignReadDatabaseError' });
    await projector.close();
    await db.dropDatabase();
    await close();
  });
});
