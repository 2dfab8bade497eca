import { Inject, Injectable } from '@nestjs/common';
import { available, collectionOf, READ_DB } from '@app/read-store';
import type { Collection, Db } from 'mongodb';
import { contactsProjection, type ContactDocument } from '../read-models';

const QUERY_TIME_MAX_MS = 10_000;

/** Who has points that are due, by the read model, which may be behind. */
@Injectable()
export class DuePoints {
  private readonly contacts: Collection<ContactDocument & { _id: string }>;

  constructor(@Inject(READ_DB) db: Db) {
    this.contacts = db.collection(collectionOf(contactsProjection));
  }

  /** Ids of at most `limit` contacts, those due longest first. */
  async contactIds(now: string, limit: number): Promise<readonly string[]> {
    const options = {
      sort: { nextExpiryAt: 1 },
      projection: { _id: 1 },
      limit,
      maxTimeMS: QUERY_TIME_MAX_MS,
    } as const;
    const due = await available(() => this.contacts.find({ nextExpiryAt: { $lte: now } }, options).toArray());
    return due.map(({ _id }) => _id);
  }
}
