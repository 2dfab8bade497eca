import { DomainError } from '@app/kernel';

/** The segment has none of this id, or not yet (see minPosition). */
export class SnapshotNotFoundError extends DomainError {
  readonly code = 'segments.snapshot-not-found';
  readonly kind = 'not-found';

  constructor() {
    super('The segment has no snapshot of this id.');
  }
}
