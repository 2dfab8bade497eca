import { DomainError, type DomainErrorKind } from '@app/kernel';

export class RewardNotFoundError extends DomainError {
  readonly code = 'rewards.not-found';
  readonly kind: DomainErrorKind = 'not-found';
  constructor() {
    super('There is no such reward.');
  }
}

export class RewardAlreadyExistsError extends DomainError {
  readonly code = 'rewards.already-exists';
  readonly kind: DomainErrorKind = 'conflict';
  constructor() {
    super('A reward with this id exists already.');
  }
}

export class RewardNotAvailableError extends DomainError {
  readonly code = 'rewards.not-available';
  readonly kind: DomainErrorKind = 'conflict';
  constructor(why: string) {
    super(why);
  }
}

export class RewardOutOfStockError extends DomainError {
  readonly code = 'rewards.out-of-stock';
  readonly kind: DomainErrorKind = 'conflict';
  constructor() {
    super('No piece of this reward is left.');
  }
}

export class NotInSegmentError extends DomainError {
  readonly code = 'rewards.not-in-segment';
  readonly kind: DomainErrorKind = 'conflict';
  override readonly details: Readonly<Record<string, string>>;
  constructor(segmentId: string) {
    super('This reward is for members of a segment; the contact is not in it.');
    this.details = { segmentId };
  }
}

export class SegmentNotActiveError extends DomainError {
  readonly code = 'rewards.segment-not-active';
  readonly kind: DomainErrorKind = 'conflict';
  override readonly details: Readonly<Record<string, string>>;
  constructor(segmentId: string) {
    super('This reward is for members of a segment that is not active, so nobody can redeem it.');
    this.details = { segmentId };
  }
}

export class InvalidTermsError extends DomainError {
  readonly code = 'rewards.invalid-terms';
  readonly kind: DomainErrorKind = 'invalid';
  constructor(
    override readonly pointer: string,
    message: string,
  ) {
    super(message);
  }
}
