import { startEmbeddedEventStore } from '@app/embedded-eventstoredb';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventStoreModelSuite } from './event-store.model.suite';
import { eventStoreSuite } from './event-store.suite';

type Server = Readonly<{ name: string; open: () => Promise<string>; close: () => Promise<void> }>;

const embedded = (): Server => {
  const dataDir = mkdtempSync(join(tmpdir(), 'event-store-suite-'));
  const started = (async () => startEmbeddedEventStore({ dataDir }))();
  return {
    name: 'embedded',
    open: async () => (await started).connectionString,
    close: async () => {
      await (await started).close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
};

const url = process.env['EVENTSTORE_URL'];
const servers: Server[] = [embedded()];
if (url) servers.push({ name: url, open: () => Promise.resolve(url), close: () => Promise.resolve() });

// A suite that did not run should be seen: `EVENTSTORE_URL` names a real server to hold this one against.
process.stdout.write(
  `event store suite runs on: ${servers.map(({ name }) => name).join(', ')}` +
    `${url ? '' : ' (EVENTSTORE_URL names no real server)'}\n`,
);

describe.each(servers)('$name', ({ name, open, close }) => {
  afterAll(close);
  eventStoreSuite(name, open);
  eventStoreModelSuite(name, open);
});
