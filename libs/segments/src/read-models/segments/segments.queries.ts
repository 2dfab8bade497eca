import { Query } from '@nestjs/cqrs';
import type { RuleTemplate } from '@app/rules';
import type { SegmentView } from './segment-view';

export type SegmentAnswer = SegmentView & Readonly<{ asOfPosition: string }>;
export type SegmentPage = Readonly<{
  items: readonly SegmentAnswer[];
  nextCursor: string | null;
  total?: number;
  asOfPosition: string;
}>;

/** With `minPosition`: waits for a segment that was defined at or before it until it is filled, too. */
export class GetSegmentQuery extends Query<SegmentAnswer> {
  constructor(
    readonly segmentId: string,
    readonly minPosition?: bigint,
  ) {
    super();
  }
}

/** All segments but deleted ones, oldest first; waits as GetSegmentQuery does. */
export class ListSegmentsQuery extends Query<SegmentPage> {
  constructor(
    readonly limit: number,
    readonly cursor: string | undefined,
    readonly count: boolean,
    readonly minPosition?: bigint,
  ) {
    super();
  }
}

/** What there is to define segments with, without writing rules. */
export class ListSegmentTemplatesQuery extends Query<Readonly<{ items: readonly RuleTemplate[] }>> {}
