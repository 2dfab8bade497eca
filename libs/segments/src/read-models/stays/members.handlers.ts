import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { SegmentDocument } from '../segments/segments.projection';
import { SnapshotReads } from '../snapshots/mongo.snapshot-reads';
import { SnapshotNotFoundError } from '../snapshots/snapshot-not-found.error';
import { Members } from './members';
import type { Moment } from './moment';
import { StayReads } from './mongo.stay-reads';
import { ShownAsOf, type AskedOf } from '../../evaluation/shown-as-of';
import {
  CountMembersQuery,
  ListMembersQuery,
  ListSnapshotMembersQuery,
  type Axis,
  type MemberCount,
  type MemberPage,
} from './stays.queries';

/** What decides which rows a list has. */
const bindingOf = (segmentId: string, axis: Axis, { asOf, asOfPosition }: AskedOf): unknown => [
  'members',
  segmentId,
  axis,
  asOf,
  asOfPosition?.toString(),
];

@QueryHandler(ListMembersQuery)
export class ListMembersHandler implements IQueryHandler<ListMembersQuery> {
  constructor(
    private readonly shown: ShownAsOf,
    private readonly members: Members,
  ) {}

  /** Throws InvalidCursorError and what ShownAsOf throws. */
  execute({ segmentId, asked, axis, paging, reader }: ListMembersQuery): Promise<MemberPage> {
    return this.shown.ask([segmentId], asked, async ({ moments, pending, asOfPosition, now }) => {
      const moment = moments.get(segmentId) ?? null;
      const page = await this.members.page({
        segmentId,
        moment,
        knownUpTo: axis === 'recorded' ? moment : (pending.get(segmentId) ?? null),
        isPast: asked.asOf !== undefined || asked.asOfPosition !== undefined,
        now,
        reader,
        paging,
        binding: bindingOf(segmentId, axis, asked),
      });
      return { ...page, asOfPosition: asOfPosition.toString() };
    });
  }
}

@QueryHandler(ListSnapshotMembersQuery)
export class ListSnapshotMembersHandler implements IQueryHandler<ListSnapshotMembersQuery> {
  constructor(
    private readonly shown: ShownAsOf,
    private readonly snapshots: SnapshotReads,
    private readonly members: Members,
  ) {}

  /** Throws SnapshotNotFoundError, InvalidCursorError and what ShownAsOf throws. */
  async execute(query: ListSnapshotMembersQuery): Promise<MemberPage> {
    const { segmentId, snapshotId, paging, reader, minPosition } = query;
    return this.shown.ask([segmentId], { minPosition }, async ({ asOfPosition, now }) => {
      const snapshot = await this.snapshots.find(segmentId, snapshotId);
      if (snapshot === null) throw new SnapshotNotFoundError();
      const page = await this.members.page({
        segmentId,
        // It was taken when definitions up to there were filled; those that came later change nothing of it.
        moment: { at: snapshot.asOf },
        knownUpTo: { at: snapshot.asOf },
        isPast: true,
        now,
        reader,
        paging,
        binding: ['snapshot', snapshotId],
      });
      return { ...page, asOfPosition: asOfPosition.toString() };
    });
  }
}

@QueryHandler(CountMembersQuery)
export class CountMembersHandler implements IQueryHandler<CountMembersQuery> {
  constructor(
    private readonly shown: ShownAsOf,
    private readonly stays: StayReads,
  ) {}

  /** Throws what ShownAsOf throws. */
  execute({ segmentId, asked }: CountMembersQuery): Promise<MemberCount> {
    return this.shown.ask([segmentId], asked, async ({ segments, moments, asOfPosition, now }) => {
      const moment = moments.get(segmentId) ?? null;
      return {
        count: await this.stays.count(segmentId, moment),
        version: versionAt(segments.get(segmentId) as SegmentDocument, moment),
        asOf: moment?.at ?? now,
        asOfPosition: asOfPosition.toString(),
      };
    });
  }
}

const versionAt = ({ version, versions }: SegmentDocument, moment: Moment | null): number | null => {
  if (moment === null) return version;
  const { at, position } = moment;
  const then = versions.findLast((one) =>
    position === undefined ? one.at <= at : BigInt(one.position) <= position,
  );
  return then?.version ?? null;
};
