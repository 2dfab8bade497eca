import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { EmbeddedStoreError } from './embedded-store.error';
import type { OpenOptions } from './open-event-store';
import type { WorkerMessage } from './worker-message';

export type EmbeddedEventStore = Readonly<{
  /** `127.0.0.1:port` */
  address: string;
  /** For `EventStoreDBClient.connectionString`. */
  connectionString: string;
  /** Resolves if the store ends without having been asked to; the host should then stop too. */
  failed: Promise<EmbeddedStoreError>;
  /** Writes what is queued, ends open calls and frees the folder. */
  close(): Promise<void>;
}>;

export type EmbeddedEventStoreOptions = Readonly<{
  /** Created if it does not exist. */
  dataDir: string;
  /** 0, the default, takes any free port. */
  port?: number;
}>;

/** Starts the server in a worker thread; resolves when it listens. Rejects with EmbeddedStoreError when it cannot. */
export const startEmbeddedEventStore = ({
  dataDir,
  port = 0,
}: EmbeddedEventStoreOptions): Promise<EmbeddedEventStore> => {
  const extension = extname(__filename);
  const worker = new Worker(join(__dirname, `server.worker${extension}`), {
    workerData: { dataDir, port } satisfies OpenOptions,
    // Room for what lives as long as a batch, so that it is not moved to the old generation first.
    resourceLimits: { maxYoungGenerationSizeMb: 96 },
    execArgv: extension === '.ts' ? ['-r', '@swc-node/register'] : [],
  });
  let closing = false;
  let crash: Error | null = null;
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  const failed = new Promise<EmbeddedStoreError>((resolve) => {
    worker.once('error', (error: Error) => (crash = error));
    void exited.then(() => {
      const reason = crash ? `: ${crash.message}` : '.';
      if (!closing)
        resolve(new EmbeddedStoreError('stopped', `The embedded event store has stopped${reason}`));
    });
  });
  const close = async (): Promise<void> => {
    closing = true;
    worker.postMessage('close');
    await exited;
  };
  return new Promise((resolve, reject) => {
    worker.once('message', (message: WorkerMessage) => {
      if (message.kind === 'refused') {
        closing = true;
        return reject(new EmbeddedStoreError(message.code, message.message));
      }
      const address = `127.0.0.1:${message.port}`;
      resolve({ address, connectionString: `esdb://${address}?tls=false`, failed, close });
    });
    void failed.then(reject);
  });
};
