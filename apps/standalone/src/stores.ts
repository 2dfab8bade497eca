import { join } from 'node:path';
import type { Config, Servers } from '@app/config';
import { startEmbeddedEventStore } from '@app/embedded-eventstoredb';
import { startEmbeddedMongo } from '@app/embedded-mongodb';

export type RunningStores = Readonly<{
  servers: Servers;
  /** Resolves if an embedded store ends without having been asked to. */
  failed: Promise<Error>;
  close(): Promise<void>;
}>;

type Store = Readonly<{ url: string; failed: Promise<Error>; close: () => Promise<void> }>;

const never = new Promise<Error>(() => undefined);

/** A server that somebody else runs. */
const elsewhere = (url: string): Store => ({ url, failed: never, close: async () => undefined });

const eventStore = async ({ eventStoreUrl, dataDir }: Config): Promise<Store> => {
  if (eventStoreUrl !== undefined) return elsewhere(eventStoreUrl);
  const { connectionString, failed, close } = await startEmbeddedEventStore({
    dataDir: join(dataDir, 'eventstore'),
  });
  return { url: connectionString, failed, close };
};

const documentStore = async ({ mongodbUrl, dataDir }: Config): Promise<Store> => {
  if (mongodbUrl !== undefined) return elsewhere(mongodbUrl);
  const { url, failed, close } = await startEmbeddedMongo({ dataDir: join(dataDir, 'mongodb') });
  // It lives and dies with the projector, so read models need no flush; what does ask for one gets it.
  return { url: `${url}/?w=1`, failed: failed.catch((error: unknown) => error as Error), close };
};

/** Starts an embedded store for each address that is not set. Where one cannot start, the other is closed again. */
export const startStores = async (config: Config): Promise<RunningStores> => {
  const started = await Promise.allSettled([eventStore(config), documentStore(config)]);
  const stores = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const close = async (): Promise<void> => {
    await Promise.all(stores.map((store) => store.close()));
  };
  const refused = started.find((one) => one.status === 'rejected');
  if (refused) {
    await close();
    throw refused.reason;
  }
  const [events, documents] = stores as [Store, Store];
  return {
    servers: { eventStoreUrl: events.url, mongodbUrl: documents.url },
    failed: Promise.race([events.failed, documents.failed]),
    close,
  };
};
