import { Inject, Injectable } from '@nestjs/common';
import { available, collectionOf, READ_DB } from '@app/read-store';
import type { Collection, Db } from 'mongodb';
import { activityStoreFilter, type ActivityFilter } from './activity-filter';
import type { StoredActivity } from './activity-item';
import { activityJournal, type ActivityEntry } from './activity.journal';

type Stored = ActivityEntry & { _id: bigint };

/** How long the store may work on one question before it gives up. */
const QUERY_TIME_MAX_MS = 10_000;

/**
 * The activity entries. Those above the checkpoint may still lack neighbours, so that every question has an upper bound.
 * Throws ReadStoreUnavailableError where the same again may succeed.
 */
@Injectable()
export class ActivityReads {
  private readonly entries: Collection<Stored>;

  constructor(@Inject(READ_DB) db: Db) {
    this.entries = db.collection<Stored>(collectionOf(activityJournal));
  }

  /** Newest first, from `upTo` (inclusive) down. */
  async newest(filter: ActivityFilter, upTo: bigint, limit: number): Promise<StoredActivity[]> {
    return this.read({ ...activityStoreFilter(filter), _id: { $lte: upTo } }, -1, limit);
  }

  /** Oldest first, behind `after`, up to `upTo` (inclusive). */
  async following(
    filter: ActivityFilter,
    after: bigint,
    upTo: bigint,
    limit: number,
  ): Promise<StoredActivity[]> {
    return this.read({ ...activityStoreFilter(filter), _id: { $gt: after, $lte: upTo } }, 1, limit);
  }

  /** How many entries there are behind `after`, up to `upTo`; counts no further than `limit`. */
  async countFollowing(filter: ActivityFilter, after: bigint, upTo: bigint, limit: number): Promise<number> {
    const following = { ...activityStoreFilter(filter), _id: { $gt: after, $lte: upTo } };
    return available(() => this.entries.countDocuments(following, { limit, maxTimeMS: QUERY_TIME_MAX_MS }));
  }

  private async read(filter: object, direction: 1 | -1, limit: number): Promise<StoredActivity[]> {
    const sort = { _id: direction };
    const options = { sort, limit, batchSize: limit + 1, maxTimeMS: QUERY_TIME_MAX_MS };
    const found = await available(() => this.entries.find(filter, options).toArray());
    return found.map(({ _id, ...entry }) => ({ ...entry, position: _id }));
  }
}
