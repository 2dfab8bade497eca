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

/**
 * The store could not narrow the contacts down enough for the rest of the rule to be asked of each of them in time. The same
 * again would take as long.
 */
export class FilterTooCostlyError extends InvalidContactListError {
  constructor() {
    super(
      'contacts.filter-too-costly',
      '/filter',
      'Too many contacts have to be asked for their history; narrow the filter down, or define a segment by it.',
    );
  }
}
