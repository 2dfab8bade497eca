import type { EmbeddedStoreErrorCode } from './embedded-store.error';

export type WorkerMessage =
  | Readonly<{ kind: 'listening'; port: number }>
  | Readonly<{ kind: 'refused'; code: EmbeddedStoreErrorCode; message: string }>;
