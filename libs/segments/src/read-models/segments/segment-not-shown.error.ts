import { DomainError } from '@app/kernel';

/** It is not shown, or not yet (see minPosition). */
export class SegmentNotShownError extends DomainError {
  readonly code = 'segments.not-found';
  readonly kind = 'not-found';

  constructor() {
    super('There is no such segment.');
  }
}
