import { DomainError } from '@app/kernel';

export class TooManySigningKeysError extends DomainError {
  readonly code = 'privacy-log.too-many-signing-keys';
  readonly kind = 'conflict';
  constructor(max: number) {
    super(`The signing key was changed ${max} times; there is no further one.`);
  }
}
