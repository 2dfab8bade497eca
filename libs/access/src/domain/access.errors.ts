import { DomainError, type DomainErrorKind } from '@app/kernel';

export class KeyNotFoundError extends DomainError {
  readonly code = 'access.key-not-found';
  readonly kind: DomainErrorKind = 'not-found';

  constructor() {
    super('There is no API key with this id.');
  }
}

export class KeyRevokedError extends DomainError {
  readonly code = 'access.key-revoked';
  readonly kind: DomainErrorKind = 'gone';

  constructor() {
    super('This API key was revoked; create another one.');
  }
}

export class KeyExpiredError extends DomainError {
  readonly code = 'access.key-expired';
  readonly kind: DomainErrorKind = 'gone';

  constructor() {
    super('This API key has expired; create another one.');
  }
}

export class KeyExistsError extends DomainError {
  readonly code = 'access.key-exists';
  readonly kind: DomainErrorKind = 'conflict';

  constructor() {
    super('This API key exists already.');
  }
}

export class ExpiryPassedError extends DomainError {
  readonly code = 'access.expiry-passed';
  readonly kind: DomainErrorKind = 'invalid';
  override readonly pointer = '/expiresAt';

  constructor() {
    super('expiresAt must be in the future.');
  }
}

export class TooManyKeysError extends DomainError {
  readonly code = 'access.too-many-keys';
  readonly kind: DomainErrorKind = 'conflict';
  override readonly details: Readonly<{ limit: number }>;

  constructor(limit: number) {
    super(`There are ${limit} API keys already; revoke some that are not used.`);
    this.details = { limit };
  }
}
