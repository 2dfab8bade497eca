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

export const AUTOMATIONS_MAX = 1_000;
export const AUTOMATIONS_ON_SEGMENT_MAX = 50;

export class TooManyAutomationsError extends DomainError {
  readonly code = 'automations.too-many';
  readonly kind = 'conflict';
  override readonly details: Readonly<Record<string, number>>;
  constructor(where: 'all' | 'segment') {
    super(
      where === 'all'
        ? `There are at most ${AUTOMATIONS_MAX} automations; delete one that is not needed.`
        : `At most ${AUTOMATIONS_ON_SEGMENT_MAX} automations are on one segment; delete one that is not needed, or give one more actions.`,
    );
    this.details =
      where === 'all'
        ? { automationsMax: AUTOMATIONS_MAX }
        : { automationsOnSegmentMax: AUTOMATIONS_ON_SEGMENT_MAX };
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
