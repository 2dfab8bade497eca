import { Inject, Injectable } from '@nestjs/common';
import { addMillis, Clock } from '@app/kernel';
import { available, collectionOf, READ_DB } from '@app/read-store';
import type { Collection, Db } from 'mongodb';
import {
  erasuresProjection,
  UNDER_WAY_MS,
  type ErasureDocument,
} from '../read-models/erasures/erasures.projection';

const QUERY_TIME_MAX_MS = 10_000;

/**
 * Whose erasures have a step that is due, by the read model, which may be behind. A step that was taken before this process
 * started counts as left by one that is gone: what it began is due at once.
 */
@Injectable()
export class DueErasures {
  private readonly erasures: Collection<ErasureDocument & { _id: string }>;

  private readonly startedAt: string;

  constructor(@Inject(READ_DB) db: Db, clock: Clock) {
    this.startedAt = clock.now().toISOString();
    this.erasures = db.collection(collectionOf(erasuresProjection));
  }

  /** At an instant: ids of at most `limit` contacts, those due longest first. */
  async contactIds(now: string, limit: number): Promise<readonly string[]> {
    const options = {
      sort: { nextStepAt: 1 },
      projection: { _id: 1 },
      limit,
      maxTimeMS: QUERY_TIME_MAX_MS,
    } as const;
    const left = addMillis(this.startedAt, UNDER_WAY_MS);
    const by = left > now ? left : now;
    const due = await available(() => this.erasures.find({ nextStepAt: { $lte: by } }, options).toArray());
    return due.map(({ _id }) => _id);
  }
}
