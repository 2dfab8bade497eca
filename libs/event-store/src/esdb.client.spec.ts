import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedEventStore } from '@app/embedded-eventstoredb';
import { EsdbClient } from './esdb.client';
import { EsdbEventStore } from './esdb.event-store';
import { eventStoreContract } from './event-store.contract';
import { openTestKeys, testCodec } from './event-store.suite';

eventStoreContract('on the embedded server', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'regulars-log-'));
  const server = await startEmbeddedEventStore({ dataDir });
  const keys = await openTestKeys();
  const client = new EsdbClient(server.connectionString);
  return {
    store: new EsdbEventStore(client, testCodec(keys)),
    close: async () => {
      await client.close();
      await server.close();
      await keys.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
});
