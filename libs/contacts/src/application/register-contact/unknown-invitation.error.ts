import { DomainError } from '@app/kernel';

export class UnknownInvitationError extends DomainError {
  readonly code = 'contacts.unknown-invitation';
  readonly kind = 'invalid';
  override readonly pointer = '/invitationCode';
  constructor() {
    super('There is no such invitation.');
  }
}
