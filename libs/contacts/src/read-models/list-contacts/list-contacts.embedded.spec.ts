import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedMongo } from '@app/embedded-mongodb';
import { contactListSuite } from './list-contacts.suite';

contactListSuite('the embedded document store', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'regulars-lists-'));
  const server = await startEmbeddedMongo({ dataDir });
  return {
    url: server.url,
    stop: async () => {
      await server.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
});
