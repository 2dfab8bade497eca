import { EsdbEventStore } from './esdb.event-store';
import { eventStoreContract } from './event-store.contract';
import { InMemoryLogClient, openTestKeys, testCodec } from './event-store.suite';

eventStoreContract('on a client in memory', async () => {
  const keys = await openTestKeys();
  return { store: new EsdbEventStore(new InMemoryLogClient(), testCodec(keys)), close: keys.close };
});
