import { Inject, Injectable } from '@nestjs/common';
import { available, READ_DB } from '@app/read-store';
import type { Collection, Db } from 'mongodb';
import { STAYS, type StayDocument } from '../segmented-contact';
import type { LogPlace, SegmentDocument } from './segments.projection';

type Stored = StayDocument & { _id: string };

const QUERY_TIME_MAX_MS = 10_000;

/** How many are in each of some segments: exact, all of them by one question, and one more for each that is being filled. */
@Injectable()
export class MemberCounts {
  private readonly stays: Collection<Stored>;

  constructor(@Inject(READ_DB) db: Db) {
    this.stays = db.collection<Stored>(STAYS);
  }

  /** By id. `filledAt`: definition changes up to there are applied to every contact; those beyond are shown as not made. */
  async of(segments: readonly SegmentDocument[], filledAt: bigint): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>(segments.map(({ segmentId }) => [segmentId, 0]));
    const pending = segments.flatMap((segment) => {
      const change = firstPending(segment, filledAt);
      return change === null ? [] : [{ segment, change }];
    });
    const filled = segments.filter((segment) => firstPending(segment, filledAt) === null);
    for (const { _id, count } of await this.current(filled.map(({ segmentId }) => segmentId))) {
      counts.set(_id, count);
    }
    for (const { segment, change } of pending) {
      if (BigInt(definedAt(segment).position) > filledAt) continue;
      counts.set(segment.segmentId, await this.before(segment.segmentId, change));
    }
    return counts;
  }

  private async current(segmentIds: readonly string[]): Promise<{ _id: string; count: number }[]> {
    if (segmentIds.length === 0) return [];
    return available(() =>
      this.stays
        .aggregate<{ _id: string; count: number }>(
          [
            { $match: { segmentId: { $in: [...segmentIds] }, to: null } },
            { $group: { _id: '$segmentId', count: { $sum: 1 } } },
          ],
          { maxTimeMS: QUERY_TIME_MAX_MS },
        )
        .toArray(),
    );
  }

  private before(segmentId: string, { at }: LogPlace): Promise<number> {
    const wereIn = { segmentId, from: { $lt: at }, $or: [{ to: null }, { to: { $gte: at } }] };
    return available(() => this.stays.countDocuments(wereIn, { maxTimeMS: QUERY_TIME_MAX_MS }));
  }
}

/** Where the segment began. */
export const definedAt = ({ versions, lastChange }: SegmentDocument): LogPlace => versions[0] ?? lastChange;

/** The first known change that is not applied to every contact; null: all are. */
const firstPending = ({ versions, lastChange }: SegmentDocument, filledAt: bigint): LogPlace | null =>
  [...versions, lastChange].find(({ position }) => BigInt(position) > filledAt) ?? null;
