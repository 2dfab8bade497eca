import { contactsProjection } from '@app/contacts';
import { available, collectionOf, MongoReadStore, updateBetween } from '@app/read-store';
import type { StoreFilter } from '@app/rules';
import {
  MongoBulkWriteError,
  type AnyBulkWriteOperation,
  type Collection,
  type Db,
  type Document,
  type WriteConcernSettings,
} from 'mongodb';
import { FACT_BUCKETS } from '../read-models/mongo.fact-buckets';
import type { Interval } from '../membership/membership';
import { packMembership, unpackMembership, type PackedMembership } from '../read-models/packed-membership';
import {
  STAYS,
  stayId,
  type Announcement,
  type SegmentedContact,
  type StayDocument,
} from '../read-models/segmented-contact';
import { STAY_INDEXES } from '../read-models/stays/stay-indexes';
import type { FoldedContact, StoredBucket } from './contact-fold';
import type { DefinitionChange } from './definition-changes';

type ContactRow = Omit<SegmentedContact, 'membership'> & { membership: PackedMembership } & {
  _id: string;
  _position: bigint;
  _step: number;
};
type BucketRow = { _id: string; _position: bigint };
type StayRow = Omit<StayDocument, 'announce'> & { _id: string; announce?: Announcement[] };
type ChangeRow = Omit<DefinitionChange, 'position'> & { _id: bigint };

/** A contact as it is stored, with how often it was written: it is written again only where nobody else has. */
export type GuardedContact = FoldedContact & Readonly<{ step: number; packed: PackedMembership }>;

export type StayChange = Readonly<{ contactId: string; stay: Interval; announce: Announcement | null }>;

export type ContactWrite = Readonly<{
  contact: FoldedContact;
  /** As it was loaded; null: there was none. */
  stored: GuardedContact | null;
  buckets: ReadonlyMap<string, StoredBucket>;
  /** As they were loaded, by id; those that were not there are not in it. */
  loadedBuckets: ReadonlyMap<string, StoredBucket>;
}>;

const CHANGES = 'definition_changes_v1';
const DURABLE = { w: 'majority', journal: true } as const;

/**
 * Contacts, their facts and their stays, as they are folded. Throws ReadStoreUnavailableError where the same again may
 * succeed.
 */
export class MongoSegmentStore {
  private readonly contacts: Collection<ContactRow>;
  private readonly buckets: Collection<BucketRow>;
  private readonly stays: Collection<StayRow>;
  private readonly changes: Collection<ChangeRow>;
  private readonly writeConcern: WriteConcernSettings;

  constructor(
    db: Db,
    private readonly readStore: MongoReadStore,
  ) {
    this.contacts = db.collection<ContactRow>(collectionOf(contactsProjection));
    this.buckets = db.collection<BucketRow>(FACT_BUCKETS);
    this.stays = db.collection<StayRow>(STAYS);
    this.changes = db.collection<ChangeRow>(CHANGES);
    this.writeConcern = db.writeConcern ?? DURABLE;
  }

  /** Makes what is missing of indexes. */
  async open(): Promise<void> {
    await available(() =>
      this.stays.createIndexes(
        STAY_INDEXES.map(({ key, sparse }) => ({ key: { ...key }, ...(sparse && { sparse }) })),
      ),
    );
  }

  async definitionChanges(): Promise<readonly DefinitionChange[]> {
    const rows = await available(() => this.changes.find().sort({ _id: 1 }).toArray());
    return rows.map(({ _id, ...change }) => ({ position: _id, ...change }));
  }

  async addDefinitionChange({ position, ...change }: DefinitionChange): Promise<void> {
    await available(() =>
      this.changes.replaceOne({ _id: position }, change, { upsert: true, writeConcern: this.writeConcern }),
    );
  }

  async loadContacts(ids: readonly string[]): Promise<ReadonlyMap<string, GuardedContact>> {
    return this.find({ _id: { $in: [...ids] } }, ids.length + 1);
  }

  /** The next contacts by id that pass a filter, at most `limit`. */
  async scan(
    afterId: string,
    filter: StoreFilter,
    limit: number,
  ): Promise<ReadonlyMap<string, GuardedContact>> {
    return this.find({ $and: [{ _id: { $gt: afterId } }, filter] }, limit);
  }

  /** Contacts of which something is due, the earliest first. */
  async due(until: string, limit: number): Promise<ReadonlyMap<string, GuardedContact>> {
    return this.find({ segmentsDueAt: { $gt: '', $lte: until } }, limit, { segmentsDueAt: 1 });
  }

  async loadBuckets(ids: readonly string[]): Promise<ReadonlyMap<string, StoredBucket>> {
    if (ids.length === 0) return new Map();
    const rows = await available(() =>
      this.buckets
        .find({ _id: { $in: [...ids] } })
        .batchSize(ids.length + 1)
        .toArray(),
    );
    return new Map(
      rows.map(({ _id, _position, ...bucket }) => [_id, { ...bucket, position: _position } as StoredBucket]),
    );
  }

  /** Ended stays of some contacts in a segment, oldest first, by contact. */
  async endedStays(
    contactIds: readonly string[],
    segmentId: string,
  ): Promise<ReadonlyMap<string, readonly Interval[]>> {
    const rows = await available(() =>
      this.stays
        .find({ segmentId, contactId: { $in: [...contactIds] }, to: { $gt: '' } })
        .sort({ from: 1 })
        .toArray(),
    );
    const found = new Map<string, Interval[]>();
    for (const { contactId, ...stay } of rows) {
      const known = found.get(contactId);
      if (known === undefined) found.set(contactId, [stay]);
      else known.push(stay);
    }
    return found;
  }

  /** Nothing of an opened stay is written that is there, and it is closed once: whoever folds it again changes nothing. */
  async saveStays(changes: readonly StayChange[]): Promise<void> {
    if (changes.length === 0) return;
    await available(() =>
      this.stays.bulkWrite(changes.map(stayOperation), { ordered: true, writeConcern: this.writeConcern }),
    );
  }

  /** False: a bucket has moved since it was loaded. */
  async saveBuckets(writes: readonly ContactWrite[]): Promise<boolean> {
    const operations = writes.flatMap(({ buckets, loadedBuckets }) =>
      [...buckets].map(([id, { position, ...bucket }]): AnyBulkWriteOperation<BucketRow> => {
        const loaded = loadedBuckets.get(id);
        return loaded === undefined
          ? { insertOne: { document: { _id: id, _position: position, ...bucket } } }
          : {
              replaceOne: {
                filter: { _id: id, _position: loaded.position },
                replacement: { _position: position, ...bucket },
              },
            };
      }),
    );
    return this.written(this.buckets, operations);
  }

  /** False: a contact was written by somebody else since it was loaded. */
  async saveContacts(writes: readonly ContactWrite[]): Promise<boolean> {
    const docs = writes.map(({ contact }) => contact.contact);
    await available(() => this.readStore.createDynamicIndexes(contactsProjection, docs));
    const operations = writes.map(({ contact, stored }): AnyBulkWriteOperation<ContactRow> => {
      const { contactId: _id } = contact.contact;
      if (stored === null) {
        const packed = packMembership(contact.contact.membership);
        return { insertOne: { document: { _id, ...rowOf(contact, packed, 0) } } };
      }
      const { step } = stored;
      // Most of a contact is as it was, and a document may be large: only what an event changed is sent and written.
      const update = updateBetween(
        rowOf(stored, stored.packed, step),
        rowOf(contact, repacked(contact, stored), step + 1),
      );
      return { updateOne: { filter: { _id, _step: step }, update } };
    });
    return this.written(this.contacts, operations);
  }

  /** All facts of contacts that are erased. */
  async removeBuckets(contactIds: readonly string[]): Promise<void> {
    for (const contactId of contactIds) {
      await available(() =>
        this.buckets.deleteMany(
          { _id: { $gt: `${contactId} `, $lt: `${contactId}!` } },
          { writeConcern: this.writeConcern },
        ),
      );
    }
  }

  private async find(
    filter: StoreFilter,
    limit: number,
    sort: Readonly<Record<string, 1>> = { _id: 1 },
  ): Promise<ReadonlyMap<string, GuardedContact>> {
    const rows = await available(() =>
      this.contacts
        .find(filter as Document, { sort, limit })
        .batchSize(limit + 1)
        .toArray(),
    );
    return new Map(
      rows.map(({ _id, _position, _step, membership, ...contact }) => [
        _id,
        {
          contact: { ...contact, membership: unpackMembership(membership) } as SegmentedContact,
          position: _position,
          step: Number(_step),
          packed: membership,
        },
      ]),
    );
  }

  private async written<T extends Document>(
    collection: Collection<T>,
    operations: readonly AnyBulkWriteOperation<T>[],
  ): Promise<boolean> {
    if (operations.length === 0) return true;
    return available(async () => {
      try {
        const { insertedCount, matchedCount } = await collection.bulkWrite([...operations], {
          ordered: false,
          writeConcern: this.writeConcern,
        });
        return insertedCount + matchedCount === operations.length;
      } catch (error) {
        if (isOnlyDuplicates(error)) return false;
        throw error;
      }
    });
  }
}

const rowOf = ({ contact, position }: FoldedContact, membership: PackedMembership, step: number) => ({
  ...contact,
  membership,
  _position: position,
  _step: step,
});

/** States are never changed, so that stays that are the same object are packed as they were. */
const repacked = ({ contact: { membership } }: FoldedContact, stored: GuardedContact): PackedMembership =>
  membership.open === stored.contact.membership.open
    ? { ...membership, open: stored.packed.open }
    : packMembership(membership);

const isOnlyDuplicates = (error: unknown): boolean =>
  error instanceof MongoBulkWriteError &&
  error.result.getWriteConcernError() === undefined &&
  [error.writeErrors].flat().every(({ code }) => code === 11_000);

const stayOperation = ({ contactId, stay, announce }: StayChange): AnyBulkWriteOperation<StayRow> => {
  const _id = stayId(contactId, stay);
  const { to, causeOut, ...opened } = stay;
  if (to !== null) {
    return {
      updateOne: {
        filter: { _id, to: null },
        update: {
          $set: { to, causeOut },
          ...(announce !== null && { $addToSet: { announce } }),
        },
      },
    };
  }
  const document = { contactId, ...opened, to, causeOut, ...(announce !== null && { announce: [announce] }) };
  return { updateOne: { filter: { _id }, update: { $setOnInsert: document }, upsert: true } };
};
