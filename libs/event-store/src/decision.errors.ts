import { DomainError, type DomainErrorKind } from '@app/kernel';

/** If-Match named a revision that is not the stream's. */
export class StaleRevisionError extends Error {
  constructor(
    readonly expected: number,
    /** -1: the stream does not exist. */
    readonly actual: number,
  ) {
    super(`Revision ${expected} was expected, but it is ${actual}.`);
  }
}

/** The same idempotency key came with another payload. */
export class IdempotencyConflictError extends DomainError {
  readonly code = 'idempotency.payload-differs';
  readonly kind: DomainErrorKind = 'invalid';

  constructor() {
    super('This idempotency key was used with another payload.');
  }
}

/** The key of another system (an invoice number, a check-in id) was recorded before, with other figures. */
export class NaturalKeyConflictError extends DomainError {
  readonly code = 'idempotency.natural-key-differs';
  readonly kind: DomainErrorKind = 'conflict';

  constructor() {
    super('This was recorded before, with other figures.');
  }
}

/** Too many commands wait for one stream, or the time to try again is up; nothing was recorded. */
export class StreamBusyError extends DomainError {
  readonly code = 'event-store.stream-busy';
  readonly kind: DomainErrorKind = 'unavailable';

  constructor() {
    super('Too much happens at once here; try again.');
  }
}
