import { parentPort, workerData } from 'node:worker_threads';
import { createLogger } from '@app/config';
import { STOP, type ProjectorThreadData, type ProjectorThreadMessage } from './projector-thread.messages';
import { startProjector } from './start-projector';

const { config, servers } = workerData as ProjectorThreadData;
const port = parentPort;
if (!port) throw new Error('This file is the entry of a worker thread.');

const say = (message: ProjectorThreadMessage): void => port.postMessage(message);
const fail = (error: unknown): void =>
  say({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });

startProjector({ config, servers, logger: createLogger('projector', config.logLevel) }).then((projector) => {
  port.on('message', (message) => {
    if (message === STOP) projector.close().then(() => say({ kind: 'stopped' }), fail);
  });
  say({ kind: 'ready' });
  void projector.failed.then(fail);
}, fail);
