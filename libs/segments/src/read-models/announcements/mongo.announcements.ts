import { Inject, Injectable } from '@nestjs/common';
import { available, collectionOf, READ_DB } from '@app/read-store';
import type { Collection, Db, Filter } from 'mongodb';
import { STAYS, type StayDocument } from '../segmented-contact';
import { announcedJournal, type Announced } from './announced.journal';

export type PendingStay = StayDocument & Readonly<{ _id: string }>;

const CONTACTS_MAX = 200;
/** Of that many contacts together, or of the first alone. */
const STAYS_MAX = 5_000;
const QUERY_TIME_MAX_MS = 10_000;

const PENDING: Filter<PendingStay> = { announce: { $in: ['entered', 'left'] } };

/** What of the stays is still to be announced, and what has been. Throws ReadStoreUnavailableError where the same again may succeed. */
@Injectable()
export class Announcements {
  private readonly stays: Collection<PendingStay>;
  private readonly journal: Collection<Announced & { _id: bigint }>;

  constructor(@Inject(READ_DB) db: Db) {
    this.stays = db.collection<PendingStay>(STAYS);
    this.journal = db.collection<Announced & { _id: bigint }>(collectionOf(announcedJournal));
  }

  /** Of some contacts all stays of which something is to be announced: a contact's announcements keep their order. */
  async pending(): Promise<readonly PendingStay[]> {
    return available(async () => {
      const some = await this.stays
        .find(PENDING, { projection: { contactId: 1 }, limit: CONTACTS_MAX, maxTimeMS: QUERY_TIME_MAX_MS })
        .batchSize(CONTACTS_MAX + 1)
        .toArray();
      const contactIds = [...new Set(some.map(({ contactId }) => contactId))];
      if (contactIds.length === 0) return [];
      const found = await this.stays
        .find(
          { ...PENDING, contactId: { $in: contactIds } },
          { sort: { contactId: 1, from: 1 }, limit: STAYS_MAX, maxTimeMS: QUERY_TIME_MAX_MS },
        )
        .toArray();
      const last = found.at(-1)?.contactId;
      const whole = found.filter(({ contactId }) => contactId !== last);
      return found.length < STAYS_MAX || whole.length === 0 ? found : whole;
    });
  }

  /** Those of the names that were announced, as far as the journal is folded. */
  async announced(names: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await available(() =>
      this.journal
        .find({ announcement: { $in: [...names] } }, { maxTimeMS: QUERY_TIME_MAX_MS })
        .batchSize(names.length + 1)
        .toArray(),
    );
    return new Set(found.map(({ announcement }) => announcement));
  }

  /** Notes that nothing is to be announced of these stays, but for those of which something came to it since they were read. */
  async settle(stays: readonly PendingStay[]): Promise<void> {
    if (stays.length === 0) return;
    const operations = stays.map(({ _id, announce = [] }) => ({
      updateOne: { filter: { _id, announce: [...announce] }, update: { $unset: { announce: 1 as const } } },
    }));
    await available(() => this.stays.bulkWrite(operations, { ordered: false }));
  }
}
