import { DomainError } from '@app/kernel';

export class AutomationNotFoundError extends DomainError {
  readonly code = 'automations.not-found';
  readonly kind = 'not-found';
  constructor() {
    super('There is no such automation.');
  }
}

export class AutomationAlreadyExistsError extends DomainError {
  readonly code = 'automations.already-exists';
  readonly kind = 'conflict';
  constructor() {
    super('An automation with this id exists already.');
  }
}

export class UnknownSegmentError extends DomainError {
  readonly code = 'automations.unknown-segment';
  readonly kind = 'invalid';
  override readonly pointer = '/on/segmentId';
  constructor() {
    super('There is no such segment.');
  }
}

/** An action has not what its type needs, or has what another one has. */
export class InvalidActionError extends DomainError {
  readonly code = 'automations.invalid-action';
  readonly kind = 'invalid';
  constructor(
    override readonly pointer: string,
    detail: string,
  ) {
    super(detail);
  }
}

export class UnsupportedActionError extends DomainError {
  readonly code = 'automations.unsupported-action';
  readonly kind = 'invalid';
  constructor(
    override readonly pointer: string,
    detail: string,
  ) {
    super(detail);
  }
}
