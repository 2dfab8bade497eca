import { DomainError } from '@app/kernel';

export class SegmentNotFoundError extends DomainError {
  readonly code = 'segments.not-found';
  readonly kind = 'not-found';
  constructor() {
    super('There is no such segment.');
  }
}

export class SegmentAlreadyExistsError extends DomainError {
  readonly code = 'segments.already-exists';
  readonly kind = 'conflict';
  constructor() {
    super('A segment with this id exists already.');
  }
}

/** The rule can be read but is surely not meant; the finding says why. */
export class RuleRefusedError extends DomainError {
  readonly kind = 'invalid';
  constructor(
    readonly code: `rules.${string}`,
    override readonly pointer: string,
    detail: string,
  ) {
    super(detail);
  }
}

export class ManualSegmentError extends DomainError {
  readonly code = 'segments.manual';
  readonly kind = 'conflict';
  override readonly pointer = '/rule';
  constructor() {
    super('A manual segment has no rule; define another segment for it.');
  }
}

export class UnknownReferenceError extends DomainError {
  readonly code = 'segments.unknown-reference';
  readonly kind = 'invalid';
  override readonly pointer = '/rule';
  constructor(segmentId: string) {
    super(`The rule refers to ${segmentId}, which is no segment.`);
  }
}

export class CyclicReferenceError extends DomainError {
  readonly code = 'segments.cyclic-reference';
  readonly kind = 'invalid';
  override readonly pointer = '/rule';
  constructor(path: readonly string[]) {
    super(`The rule refers to its own segment: ${path.join(' → ')}.`);
  }
}

export const REFERENCE_DEPTH_MAX = 5;

export class ReferencesTooDeepError extends DomainError {
  readonly code = 'segments.references-too-deep';
  readonly kind = 'invalid';
  override readonly pointer = '/rule';
  override readonly details = { referenceDepthMax: REFERENCE_DEPTH_MAX };
  constructor() {
    super(`References between segments are at most ${REFERENCE_DEPTH_MAX} deep.`);
  }
}

export const ACTIVE_SEGMENTS_MAX = 2_000;

export class TooManySegmentsError extends DomainError {
  readonly code = 'segments.too-many';
  readonly kind = 'conflict';
  override readonly details = { activeSegmentsMax: ACTIVE_SEGMENTS_MAX };
  constructor() {
    super(`At most ${ACTIVE_SEGMENTS_MAX} segments are active at a time; deactivate one that is not needed.`);
  }
}

/** The definition has to be admitted first; whoever decides asks for it and decides again. */
export class AdmissionNeededError extends DomainError {
  readonly code = 'segments.busy';
  readonly kind = 'unavailable';
  constructor() {
    super('The segment is being changed by others; try again in a moment.');
  }
}

export class SegmentInactiveError extends DomainError {
  readonly code = 'segments.inactive';
  readonly kind = 'conflict';
  constructor() {
    super('The segment is not active.');
  }
}

export class NotRankedError extends DomainError {
  readonly code = 'segments.not-ranked';
  readonly kind = 'conflict';
  constructor() {
    super('Only a ranked segment has a cut-off; all others are up to date at any time.');
  }
}

export class VersionChangedError extends DomainError {
  readonly code = 'segments.version-changed';
  readonly kind = 'conflict';
  constructor() {
    super('The rule was changed while contacts were being ranked by it.');
  }
}

export const SNAPSHOTS_MAX = 1_000;

export class TooManySnapshotsError extends DomainError {
  readonly code = 'segments.too-many-snapshots';
  readonly kind = 'conflict';
  override readonly details = { snapshotsMax: SNAPSHOTS_MAX };
  constructor() {
    super(`A segment has at most ${SNAPSHOTS_MAX} snapshots.`);
  }
}
