import { DomainError } from '@app/kernel';

/** The rule cannot be tried on all contacts in the time there is for a question; the same again would take as long. */
export class PreviewTooCostlyError extends DomainError {
  readonly code = 'segments.preview-too-costly';
  readonly kind = 'invalid';
  override readonly pointer = '/rule';
  constructor() {
    super('Too many contacts have to be asked for their history one by one; narrow the rule down.');
  }
}

export class UnknownComparisonError extends DomainError {
  readonly code = 'segments.not-found';
  readonly kind = 'invalid';
  override readonly pointer = '/compareTo';
  constructor() {
    super('There is no such segment to compare with.');
  }
}

export class FutureInstantError extends DomainError {
  readonly code = 'segments.not-yet';
  readonly kind = 'invalid';
  override readonly pointer = '/asOf';
  constructor() {
    super('This instant lies in the future.');
  }
}
