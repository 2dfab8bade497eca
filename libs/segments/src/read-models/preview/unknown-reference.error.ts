import { DomainError } from '@app/kernel';

/** A rule that is tried refers to a segment that there is not. */
export class UnknownReferenceError extends DomainError {
  readonly code = 'segments.unknown-reference';
  readonly kind = 'invalid';
  override readonly pointer = '/rule';
  constructor(segmentId: string) {
    super(`The rule refers to ${segmentId}, which is no segment.`);
  }
}
