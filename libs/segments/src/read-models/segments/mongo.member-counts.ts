import { Inject, Injectable } from '@nestjs/common';
import { available, READ_DB } from '@app/read-store';
import type { Collection, Db } from 'mongodb';
import { STAYS, type StayDocument } from '../segmented-contact';
import { PendingChanges } from '../stays/mongo.pending-changes';
import { StayReads } from '../stays/mongo.stay-reads';

type Stored = StayDocument & { _id: string };

const QUERY_TIME_MAX_MS = 10_000;

/**
 * How many are in each of some segments: exact, all of them by one question, and one more for each that is being filled,
 * which is counted as it was before. Throws ReadStoreUnavailableError.
 */
@Injectable()
export class MemberCounts {
  private readonly members: Collection<Stored>;

  constructor(
    @Inject(READ_DB) db: Db,
    private readonly pending: PendingChanges,
    private readonly stays: StayReads,
  ) {
    this.members = db.collection<Stored>(STAYS);
  }

  /**
   * By id; who is in none is not in it. `filledAt`: definition changes up to there are applied to every contact. Null: a
   * definition changed while it was counted.
   */
  async of(segmentIds: readonly string[], filledAt: bigint): Promise<ReadonlyMap<string, number> | null> {
    const before = await this.pending.reached(filledAt, segmentIds);
    const counts = new Map(await this.current(segmentIds.filter((segmentId) => !before.has(segmentId))));
    for (const [segmentId, moment] of before) {
      counts.set(segmentId, await this.stays.count(segmentId, moment));
    }
    const after = await this.pending.reached(filledAt, segmentIds);
    return after.size === before.size ? counts : null;
  }

  private async current(segmentIds: readonly string[]): Promise<[string, number][]> {
    if (segmentIds.length === 0) return [];
    const pipeline = [
      { $match: { segmentId: { $in: [...segmentIds] }, to: null } },
      { $group: { _id: '$segmentId', count: { $sum: 1 } } },
    ];
    const groups = await available(() =>
      this.members
        .aggregate<{ _id: string; count: number }>(pipeline, { maxTimeMS: QUERY_TIME_MAX_MS })
        .toArray(),
    );
    return groups.map(({ _id, count }) => [_id, count]);
  }
}
