export { startEmbeddedMongo } from './embedded-mongo';
export type { EmbeddedMongo } from './embedded-mongo';
export { EmbeddedStoreError } from './embedded-store.error';
export type { EmbeddedStoreErrorCode } from './embedded-store.error';
