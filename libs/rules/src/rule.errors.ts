import { DomainError } from '@app/kernel';

/** A rule that cannot be read or is not allowed; `pointer` leads to the node to blame. */
export class InvalidRuleError extends DomainError {
  readonly kind = 'invalid';

  constructor(
    readonly code: `rules.${string}`,
    override readonly pointer: string,
    message: string,
  ) {
    super(message);
  }
}
