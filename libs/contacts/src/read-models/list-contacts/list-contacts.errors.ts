import { DomainError } from '@app/kernel';

/** A list was asked for by something it does not have. */
export class InvalidContactListError extends DomainError {
  readonly kind = 'invalid';

  constructor(
    readonly code: `contacts.${string}`,
    override readonly pointer: string,
    message: string,
  ) {
    super(message);
  }
}
