export type EmbeddedStoreErrorCode =
  'port-taken' | 'data-dir-locked' | 'data-dir-unwritable' | 'log-corrupt' | 'stopped';

/** Why the embedded event store does not run; the message is one line for people. */
export class EmbeddedStoreError extends Error {
  constructor(
    readonly code: EmbeddedStoreErrorCode,
    message: string,
  ) {
    super(message);
  }
}
