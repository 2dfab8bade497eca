import type { Config, Logger } from '@app/config';
import type { Running } from '../../api/src/process-life';
import { startApi, type RunningApi } from '../../api/src/start-api';
import { startProjectorThread } from '../../projector/src/start-projector-thread';
import { prepareDataFolder } from './data-folder';
import { startStores } from './stores';

export type RunningStandalone = Running & Readonly<{ api: RunningApi }>;

/**
 * Starts everything on this machine: embedded stores (where no addresses of servers are set) and the projector in threads
 * of their own, the API in this one. Resolves when it can be used; nothing is left running when it throws.
 */
export const startStandalone = async (config: Config, logger: Logger): Promise<RunningStandalone> => {
  prepareDataFolder(config.dataDir);
  /** What is running, in the order it was started; it ends in the opposite one. */
  const parts: { close: () => Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    for (const part of [...parts].reverse()) await part.close();
  };
  try {
    const stores = await startStores(config);
    parts.push(stores);
    const { eventStoreUrl, mongodbUrl } = stores.servers;
    // Not the addresses of other servers, which may hold passwords.
    if (config.eventStoreUrl === undefined)
      logger.info({ eventStoreUrl }, 'The embedded event store listens.');
    if (config.mongodbUrl === undefined) logger.info({ mongodbUrl }, 'The embedded document store listens.');
    const projector = await startProjectorThread({ config, servers: stores.servers });
    parts.push(projector);
    const api = await startApi({ config, servers: stores.servers, logger, ownsLog: true });
    parts.push(api);
    return { api, failed: Promise.race([stores.failed, projector.failed]), close };
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
};
