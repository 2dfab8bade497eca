export type EmbeddedStoreErrorCode = 'port-taken' | 'data-dir-locked' | 'data-dir-unwritable' | 'failed';

/** The server could not start, or stopped; the message is one line for people. */
export class EmbeddedStoreError extends Error {
  constructor(
    readonly code: EmbeddedStoreErrorCode,
    message: string,
  ) {
    super(message);
  }
}
