import { DomainError, type DomainErrorKind } from '@app/kernel';

/** The contact was erased: nothing personal may be written of it any more. */
export class KeyDestroyedError extends DomainError {
  readonly code = 'personal-data.key-destroyed';
  readonly kind: DomainErrorKind = 'gone';

  constructor() {
    super('The personal data of this contact was erased; no more can be recorded.');
  }
}

/** The key ring cannot be read or written now; nothing is known of the key. */
export class KeyRingUnavailableError extends DomainError {
  readonly code = 'personal-data.key-ring-unavailable';
  readonly kind: DomainErrorKind = 'unavailable';

  constructor(cause: unknown) {
    super('The key ring is not available.', { cause });
  }
}

/** A sealed value names a key that never was in this key ring: the wrong key ring, or one restored from too old a copy. */
export class MissingKeyError extends Error {
  constructor(readonly keyId: string) {
    super(`The key ring has no key ${keyId}; is it the one that belongs to this event store?`);
  }
}

/** A sealed value was changed, moved to another event or field, or is not a sealed value at all. */
export class SealBrokenError extends Error {
  constructor(
    readonly field: string,
    cause?: unknown,
  ) {
    super(`The sealed value of field ${field} cannot be opened: it was changed or moved.`, { cause });
  }
}

/** The key ring cannot be used as it is set up; the message is one line that says what to do. */
export class KeyRingSetupError extends Error {}

/** The service that unwraps the key-encryption key does not; the message is one line for people. */
export class KeyServiceError extends Error {
  constructor(
    what: string,
    /** The same again would be answered the same. */
    readonly isFinal: boolean,
  ) {
    super(`The key service (REGULARS_KMS_URL) ${what}.`);
  }
}
