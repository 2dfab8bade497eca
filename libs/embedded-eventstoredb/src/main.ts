import { parseArgs } from 'node:util';
import { type EmbeddedEventStore, startEmbeddedEventStore } from './embedded-event-store';

const USAGE = 'usage: embedded-eventstoredb --data DIR [--port N]';

const quit = (message: string): never => {
  process.stderr.write(`embedded-eventstoredb: ${message}\n`);
  process.exit(1);
};

const readOptions = (): { dataDir: string; port: number } => {
  try {
    const { values } = parseArgs({ options: { port: { type: 'string' }, data: { type: 'string' } } });
    const port = Number(values.port ?? 0);
    if (!values.data || !Number.isInteger(port) || port < 0 || port > 65_535) return quit(USAGE);
    return { dataDir: values.data, port };
  } catch (error) {
    return quit(`${(error as Error).message} (${USAGE})`);
  }
};

const run = async (): Promise<void> => {
  const store: EmbeddedEventStore = await startEmbeddedEventStore(readOptions());
  process.stdout.write(`embedded-eventstoredb listening on ${store.address}\n`);
  const stop = (): void => void store.close().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  quit((await store.failed).message);
};

run().catch((error: unknown) => quit((error as Error).message));
