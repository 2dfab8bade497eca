import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { STOP, type ProjectorThreadData, type ProjectorThreadMessage } from './projector-thread.messages';

export type ProjectorThread = Readonly<{
  /** Resolves if the projector ends without having been asked to. */
  failed: Promise<Error>;
  /** Finishes the batch at hand and ends the thread. */
  close: () => Promise<void>;
}>;

/** Starts the projector in a thread of its own, so that folding does not stand in the way of requests. */
export const startProjectorThread = async (data: ProjectorThreadData): Promise<ProjectorThread> => {
  const extension = extname(__filename);
  const worker = new Worker(join(__dirname, `projector.worker${extension}`), {
    workerData: data,
    // Room for what lives as long as a batch, so that it is not moved to the old generation first.
    resourceLimits: { maxYoungGenerationSizeMb: 96 },
    execArgv: extension === '.ts' ? ['-r', '@swc-node/register'] : [],
  });
  const said = (kind: ProjectorThreadMessage['kind']): Promise<void> =>
    new Promise((resolve) =>
      worker.on('message', (message: ProjectorThreadMessage) => {
        if (message.kind === kind) resolve();
      }),
    );
  const stopped = said('stopped');
  const failed = new Promise<Error>((resolve) => {
    worker.on('message', (message: ProjectorThreadMessage) => {
      if (message.kind === 'failed') resolve(new Error(message.message));
    });
    worker.once('error', (error) => resolve(error instanceof Error ? error : new Error(String(error))));
    worker.once('exit', () => resolve(new Error('The projector has ended.')));
  });
  const early = await Promise.race([said('ready'), failed]);
  if (early instanceof Error) {
    await worker.terminate();
    throw early;
  }
  const close = async (): Promise<void> => {
    worker.postMessage(STOP);
    await Promise.race([stopped, failed]);
    await worker.terminate();
  };
  return { failed, close };
};
