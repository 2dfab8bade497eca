import { DomainError, type DomainErrorKind } from '@app/kernel';

/** The event store does not answer; nothing was written by the call that throws this. */
export class EventStoreUnavailableError extends DomainError {
  readonly code = 'event-store.unavailable';
  readonly kind: DomainErrorKind = 'unavailable';

  constructor(cause: unknown) {
    super('The event store is not available.', { cause });
  }
}

/** What one command records is larger than the event store takes at once (1 MiB). */
export class AppendTooLargeError extends DomainError {
  readonly code = 'event-store.append-too-large';
  readonly kind: DomainErrorKind = 'invalid';

  constructor() {
    super('This is more data than one command can record.');
  }
}

/** The log holds an event that this version of the code has no definition of: it was written by a newer one. */
export class UnknownEventTypeError extends Error {
  constructor(readonly type: string) {
    super(`No definition of event type ${type}.`);
  }
}

/** An event's data has a field that its definition does not mark: nobody said whether it is personal. */
export class UnmarkedFieldError extends Error {
  constructor(
    readonly type: string,
    readonly field: string,
  ) {
    super(`Field ${field} of ${type} is not marked in its definition.`);
  }
}

/** An event in the log is not what the codec writes. */
export class UnreadableEventError extends Error {
  constructor(
    readonly position: bigint,
    readonly type: string,
    reason: string,
  ) {
    super(`The event ${type} at position ${position} cannot be read: ${reason}`);
  }
}

/** The log ends before the position a reader has handled: it is another log, or one restored from an older copy. */
export class LogBehindReaderError extends Error {
  constructor(
    readonly handled: bigint,
    readonly head: bigint | null,
  ) {
    super(
      `Position ${handled} was handled, but the log ends at ${head ?? 'its beginning'}: is it another log?`,
    );
  }
}
