import { DomainError } from '@app/kernel';

/** What the contact is in is not known yet as of its last change. */
export class MembershipBehindError extends DomainError {
  readonly code = 'segments.behind';
  readonly kind = 'unavailable';

  constructor() {
    super('Memberships have not reached the last change of the contact; try again in a moment.');
  }
}
