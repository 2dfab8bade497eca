import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { parentPort, workerData } from 'node:worker_threads';
import { EmbeddedStoreError } from './embedded-store.error';
import { type OpenOptions, openEventStore } from './open-event-store';
import type { WorkerMessage } from './worker-message';

/* Runs the store beside the host's own work. It is told to close by any message, and ends when it has. */
const port = parentPort;
if (!port) throw new Error('This file is the entry of a worker thread.');
// What goes wrong is told to the host, which says it once.
setLogVerbosity(logVerbosity.NONE);
const tell = (message: WorkerMessage): void => port.postMessage(message);

openEventStore(workerData as OpenOptions).then(
  (store) => {
    port.once('message', () => void store.close().then(() => process.exit(0)));
    tell({ kind: 'listening', port: store.port });
  },
  (error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    tell({ kind: 'refused', code: error instanceof EmbeddedStoreError ? error.code : 'stopped', message });
    port.close();
  },
);
