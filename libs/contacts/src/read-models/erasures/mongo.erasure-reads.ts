import { Inject, Injectable } from '@nestjs/common';
import { available, collectionOf, READ_DB } from '@app/read-store';
import type { Collection, Db } from 'mongodb';
import { erasuresProjection, type ErasureDocument } from './erasures.projection';

const QUERY_TIME_MAX_MS = 10_000;

/** Throws ReadStoreUnavailableError where the same again may succeed. */
@Injectable()
export class ErasureReads {
  private readonly erasures: Collection<ErasureDocument & { _id: string }>;

  constructor(@Inject(READ_DB) db: Db) {
    this.erasures = db.collection(collectionOf(erasuresProjection));
  }

  async find(contactId: string): Promise<ErasureDocument | null> {
    return available(() => this.erasures.findOne({ _id: contactId }, { maxTimeMS: QUERY_TIME_MAX_MS }));
  }
}
