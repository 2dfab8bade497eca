import { DomainError } from '@app/kernel';

/** Nobody of this id is in the read model. */
export class ContactNotFoundError extends DomainError {
  readonly code = 'contacts.not-found';
  readonly kind = 'not-found';

  constructor() {
    super('There is no contact of this id.');
  }
}
