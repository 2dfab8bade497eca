import { Inject, Injectable } from '@nestjs/common';
import { available, READ_DB } from '@app/read-store';
import type { Collection, Db } from 'mongodb';
import type { FactsBucket } from '../facts/facts.document';

export const FACT_BUCKETS = 'fact_buckets_v1';

/** `_position`: of the last event folded into it; it may be ahead of its contact's document (BucketedFacts leaves that out). */
export type StoredBucket = FactsBucket & { _id: string; _position: bigint };

/** The stored facts of contacts by month. Throws ReadStoreUnavailableError where the same again may succeed. */
@Injectable()
export class FactBuckets {
  private readonly buckets: Collection<StoredBucket>;

  constructor(@Inject(READ_DB) db: Db) {
    this.buckets = db.collection<StoredBucket>(FACT_BUCKETS);
  }

  /** By bucketId; those that are not there are not in it. */
  async load(ids: readonly string[]): Promise<ReadonlyMap<string, StoredBucket>> {
    if (ids.length === 0) return new Map();
    const found = await available(() =>
      this.buckets
        .find({ _id: { $in: [...ids] } })
        .batchSize(ids.length + 1)
        .toArray(),
    );
    return new Map(found.map((bucket) => [bucket._id, bucket]));
  }
}
