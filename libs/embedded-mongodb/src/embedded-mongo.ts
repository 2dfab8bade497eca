import { existsSync } from 'node:fs';
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { lockDataDir } from './data-dir.lock';
import { EmbeddedStoreError, EmbeddedStoreErrorCode } from './embedded-store.error';
import type { ServerOptions, ServerReply, ServerRequest } from './server.worker';

/** A running embedded document store. */
export type EmbeddedMongo = {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** For the driver: `mongodb://127.0.0.1:port`. */
  readonly url: string;
  /** Rejects when the server's thread dies without having been asked to; never resolves before `close`. */
  readonly failed: Promise<never>;
  /** Rewrites the store so that no byte of a deleted document is left in a file of the data folder. */
  compact(): Promise<void>;
  /** Answers what is under way, writes everything to disk and stops. */
  close(): Promise<void>;
};

/** The thread's entry: beside this file, in whatever language this file is run. */
const startThread = (options: ServerOptions): Worker => {
  const extension = extname(__filename);
  const entry = join(__dirname, `server.worker${extension}`);
  if (!existsSync(entry)) throw new EmbeddedStoreError('failed', `${entry} is missing.`);
  return new Worker(entry, {
    workerData: options,
    // Room for what lives as long as a batch, so that it is not moved to the old generation first.
    resourceLimits: { maxYoungGenerationSizeMb: 96 },
    execArgv: extension === '.ts' ? ['-r', '@swc-node/register'] : [],
  });
};

/**
 * Starts the server in a worker thread; resolves when it listens, on the loopback only. Rejects with an
 * EmbeddedStoreError of one clear line: `port-taken`, `data-dir-locked`, `data-dir-unwritable`.
 */
export const startEmbeddedMongo = async (options: {
  dataDir: string;
  port?: number;
}): Promise<EmbeddedMongo> => {
  const release = lockDataDir(options.dataDir);
  let worker: Worker;
  try {
    worker = startThread({ dataDir: options.dataDir, port: options.port ?? 0 });
  } catch (error) {
    release();
    throw error;
  }
  let isClosing = false;
  const waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  let started = { resolve: (_port: number): void => undefined, reject: (_error: Error): void => undefined };
  const listening = new Promise<number>((resolve, reject) => (started = { resolve, reject }));
  let fail = (_error: Error): void => undefined;
  const failed = new Promise<never>((_, reject) => (fail = reject));
  // Whoever does not watch it is not to be stopped by it.
  failed.catch(() => undefined);

  let cause: Error | undefined;
  const exited = new Promise<void>((resolve) => {
    worker.on('exit', () => {
      release();
      const error = cause ?? new EmbeddedStoreError('failed', 'The embedded document store has stopped.');
      started.reject(error);
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
      if (!isClosing) fail(error);
      resolve();
    });
  });
  worker.on('error', (error) => {
    cause = new EmbeddedStoreError(
      'failed',
      `The embedded document store has failed: ${(error as Error).message}`,
    );
  });
  worker.on('message', (reply: ServerReply) => {
    if (reply.kind === 'listening') return started.resolve(reply.port);
    if (reply.kind === 'refused') {
      cause = new EmbeddedStoreError(reply.code as EmbeddedStoreErrorCode, reply.message);
      return;
    }
    const waiter = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.error === undefined) waiter?.resolve();
    else waiter?.reject(new EmbeddedStoreError('failed', reply.error));
  });

  let nextId = 1;
  const ask = (action: ServerRequest['action']): Promise<void> =>
    new Promise((resolve, reject) => {
      waiting.set(nextId, { resolve, reject });
      worker.postMessage({ id: nextId, action } satisfies ServerRequest);
      nextId += 1;
    });

  const port = await listening;
  let closed: Promise<void> | undefined;
  return {
    address: `127.0.0.1:${port}`,
    url: `mongodb://127.0.0.1:${port}`,
    failed,
    compact: () => ask('compact'),
    close: () => {
      isClosing = true;
      closed ??= ask('close').then(() => exited);
      return closed;
    },
  };
};
