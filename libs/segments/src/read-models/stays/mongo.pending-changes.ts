import { Inject, Injectable } from '@nestjs/common';
import { available, READ_DB } from '@app/read-store';
import type { Collection, Db } from 'mongodb';
import type { Moment } from './moment';

/** What is read of a change; see DefinitionChange. */
type ChangeRow = { _id: bigint; segmentId: string; at: string };

const CHANGES = 'definition_changes_v1';
const QUERY_TIME_MAX_MS = 10_000;

/**
 * Changes of definitions that are not applied to everybody. They are written before anybody's stay is changed by one, so who
 * asks before and after reading stays knows whether he saw half of one. Throws ReadStoreUnavailableError.
 */
@Injectable()
export class PendingChanges {
  private readonly changes: Collection<ChangeRow>;

  constructor(@Inject(READ_DB) db: Db) {
    this.changes = db.collection<ChangeRow>(CHANGES);
  }

  /** Of each of some segments that has a change behind a position: the moment before the first such one. */
  async after(filledAt: bigint, segmentIds: readonly string[]): Promise<ReadonlyMap<string, Moment>> {
    const found = await available(() =>
      this.changes
        .find(
          { _id: { $gt: filledAt }, segmentId: { $in: [...segmentIds] } },
          { sort: { _id: 1 }, projection: { segmentId: 1, at: 1 }, maxTimeMS: QUERY_TIME_MAX_MS },
        )
        .toArray(),
    );
    const first = new Map<string, Moment>();
    for (const { _id, segmentId, at } of found) {
      if (!first.has(segmentId)) first.set(segmentId, { at, position: _id - 1n });
    }
    return first;
  }

  /** The last change in `(after, upTo]`; null: there is none. */
  async lastIn(after: bigint, upTo: bigint): Promise<bigint | null> {
    const [last] = await available(() =>
      this.changes
        .find(
          { _id: { $gt: after, $lte: upTo } },
          { sort: { _id: -1 }, limit: 1, projection: { _id: 1 }, maxTimeMS: QUERY_TIME_MAX_MS },
        )
        .toArray(),
    );
    return last?._id ?? null;
  }
}
