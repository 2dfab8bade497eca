import { Inject, Injectable } from '@nestjs/common';
import { available, collectionOf, READ_DB } from '@app/read-store';
import type { Collection, Db } from 'mongodb';
import { erasuresProjection, type ErasureDocument } from '../read-models';

const QUERY_TIME_MAX_MS = 10_000;

/** Whose erasures have a step that is due, by the read model, which may be behind. */
@Injectable()
export class DueErasures {
  private readonly erasures: Collection<ErasureDocument & { _id: string }>;

  constructor(@Inject(READ_DB) db: Db) {
    this.erasures = db.collection(collectionOf(erasuresProjection));
  }

  /** Ids of at most `limit` contacts, those due longest first. */
  async contactIds(now: string, limit: number): Promise<readonly string[]> {
    const options = {
      sort: { nextStepAt: 1 },
      projection: { _id: 1 },
      limit,
      maxTimeMS: QUERY_TIME_MAX_MS,
    } as const;
    const due = await available(() => this.erasures.find({ nextStepAt: { $lte: now } }, options).toArray());
    return due.map(({ _id }) => _id);
  }
}
