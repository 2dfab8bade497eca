import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { SegmentDocument } from '../segments/segments.projection';
import { SnapshotReads } from '../snapshots/mongo.snapshot-reads';
import { SnapshotNotFoundError } from '../snapshots/snapshot-not-found.error';
import { OccurredMembers } from '../../evaluation/occurred-members';
import { ShownAsOf, type AskedOf, type Shown } from '../../evaluation/shown-as-of';
import { Members } from './members';
import type { Moment } from './moment';
import { StayReads } from './mongo.stay-reads';
import {
  CountMembersQuery,
  ListMembersQuery,
  ListSnapshotMembersQuery,
  type Axis,
  type MemberCount,
  type MemberPage,
} from './stays.queries';

/** Asking everybody takes long. */
const ASKING_TIME_MAX_MS = 30_000;

/** By when things happened; null: the stays say it, as they do of the present on either axis. */
const occurredAt = (
  segmentId: string,
  axis: Axis,
  { asOf, asOfPosition }: AskedOf,
  { moments }: Shown,
): string | null =>
  axis === 'recorded' || (asOf === undefined && asOfPosition === undefined)
    ? null
    : (moments.get(segmentId)?.at ?? null);

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
    private readonly occurred: OccurredMembers,
  ) {}

  /** Throws InvalidCursorError, PastTooCostlyError and what ShownAsOf throws. */
  execute({ segmentId, asked, axis, paging, reader }: ListMembersQuery): Promise<MemberPage> {
    const deadlineMs = performance.now() + ASKING_TIME_MAX_MS;
    return this.shown.ask([segmentId], asked, async (shown) => {
      const { segments, moments, asOfPosition, now } = shown;
      const moment = moments.get(segmentId) ?? null;
      const binding = bindingOf(segmentId, axis, asked);
      const at = occurredAt(segmentId, axis, asked, shown);
      if (at !== null) {
        const segment = segments.get(segmentId) as SegmentDocument;
        const question = await this.occurred.prepare(segment, at, asOfPosition, deadlineMs);
        const page = await this.members.occurred(question, reader, paging, binding);
        return { ...page, asOfPosition: asOfPosition.toString() };
      }
      const page = await this.members.page({
        segmentId,
        moment,
        isPast: asked.asOf !== undefined || asked.asOfPosition !== undefined,
        now,
        reader,
        paging,
        binding,
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
    private readonly occurred: OccurredMembers,
  ) {}

  /** Throws PastTooCostlyError and what ShownAsOf throws. */
  execute({ segmentId, asked, axis }: CountMembersQuery): Promise<MemberCount> {
    const deadlineMs = performance.now() + ASKING_TIME_MAX_MS;
    return this.shown.ask([segmentId], asked, async (shown) => {
      const { segments, moments, asOfPosition, now } = shown;
      const moment = moments.get(segmentId) ?? null;
      const at = occurredAt(segmentId, axis, asked, shown);
      if (at !== null) {
        const segment = segments.get(segmentId) as SegmentDocument;
        const question = await this.occurred.prepare(segment, at, asOfPosition, deadlineMs);
        return {
          count: await this.occurred.count(question),
          version: segment.version,
          asOf: at,
          asOfPosition: asOfPosition.toString(),
        };
      }
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
