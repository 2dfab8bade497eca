import { DomainError } from '@app/kernel';

/** It is not shown, or not yet (see minPosition). */
export class AutomationNotShownError extends DomainError {
  readonly code = 'automations.not-found';
  readonly kind = 'not-found';

  constructor() {
    super('There is no such automation.');
  }
}
