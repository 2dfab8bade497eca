import { DomainError, type DomainErrorKind } from '@app/kernel';

/** The catalogue does not show it (yet: see minPosition). */
export class RewardNotShownError extends DomainError {
  readonly code = 'rewards.not-found';
  readonly kind: DomainErrorKind = 'not-found';

  constructor() {
    super('There is no such reward.');
  }
}
