import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { StreamCatalogue } from './catalogue/stream-catalogue';
import { FolderLockedError, lockFolder } from './data-folder.lock';
import { EmbeddedStoreError } from './embedded-store.error';
import { EventStoreEngine } from './engine/event-store.engine';
import { EventStoreServer } from './grpc/event-store.server';
import { LogCorruptError } from './log/segment-file';
import { SegmentedLog } from './log/segmented-log';

export type OpenOptions = Readonly<{
  dataDir: string;
  /** 0 for any. */
  port: number;
  segmentBytes?: number;
}>;

export type OpenEventStore = Readonly<{ port: number; close: () => Promise<void> }>;

const oneLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] as string;

const startError = (error: unknown, { dataDir }: OpenOptions): unknown => {
  if (error instanceof FolderLockedError) return new EmbeddedStoreError('data-dir-locked', error.message);
  if (error instanceof LogCorruptError) return new EmbeddedStoreError('log-corrupt', error.message);
  if ((error as NodeJS.ErrnoException).syscall !== undefined) {
    return new EmbeddedStoreError(
      'data-dir-unwritable',
      `The event store cannot use ${dataDir}: ${oneLine(error)}.`,
    );
  }
  return error;
};

/**
 * Opens the store in a folder and serves it on the loopback address, in this thread.
 * Throws EmbeddedStoreError when it cannot, with everything released that was taken.
 */
export const openEventStore = async (options: OpenOptions): Promise<OpenEventStore> => {
  const release: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const step of release.splice(0).reverse()) await step();
  };
  try {
    release.push(await lockFolder(options.dataDir));
    const logFolder = join(options.dataDir, 'log');
    mkdirSync(logFolder, { recursive: true });
    accessSync(logFolder, constants.R_OK | constants.W_OK);
    let catalogue: StreamCatalogue | null = null;
    const log = SegmentedLog.open({
      folder: logFolder,
      beforeWrite: () => catalogue?.room(),
      ...(options.segmentBytes === undefined ? {} : { segmentBytes: options.segmentBytes }),
    });
    release.push(() => log.closeFiles());
    catalogue = await StreamCatalogue.open(join(options.dataDir, 'index'), log, (error) => log.fail(error));
    const index = catalogue;
    release.push(() => index.close());
    log.cutTail();
    const server = new EventStoreServer(new EventStoreEngine(log, index));
    const port = await server.listen(options.port).catch((error: unknown) => {
      throw new EmbeddedStoreError(
        'port-taken',
        `Port ${options.port} on 127.0.0.1 cannot be used: ${oneLine(error)}`,
      );
    });
    release.push(() => server.close());
    // First of all when closing: what was sent is still acknowledged.
    release.push(() => log.stop());
    return { port, close };
  } catch (error) {
    await close();
    throw startError(error, options);
  }
};
