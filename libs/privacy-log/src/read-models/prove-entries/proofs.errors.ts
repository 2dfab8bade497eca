import { DomainError } from '@app/kernel';

/** The tree is not that large (yet), or the places asked for do not fit together. */
export class NotInTheTreeError extends DomainError {
  readonly code = 'privacy-log.not-in-the-tree';
  readonly kind = 'invalid';
  override readonly details: Readonly<{ size: number }>;

  constructor(size: number) {
    super('The log has no such entries; see size.');
    this.details = { size };
  }
}

/** Nothing was signed yet: the first checkpoint follows the first entry within seconds. */
export class NoCheckpointError extends DomainError {
  readonly code = 'privacy-log.no-checkpoint';
  readonly kind = 'not-found';

  constructor() {
    super('There is no checkpoint yet.');
  }
}
