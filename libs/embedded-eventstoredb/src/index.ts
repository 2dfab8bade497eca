export {
  type EmbeddedEventStore,
  type EmbeddedEventStoreOptions,
  startEmbeddedEventStore,
} from './embedded-event-store';
export { EmbeddedStoreError, type EmbeddedStoreErrorCode } from './embedded-store.error';
