import { Inject, Injectable } from '@nestjs/common';
import { available, collectionOf, DYNAMIC_INDEX_PREFIX, DYNAMIC_INDEXES_MAX, READ_DB } from '@app/read-store';
import type { StoreFilter } from '@app/rules';
import { MongoServerError, type Collection, type Db } from 'mongodb';
import type { KeyRange } from '../list-contacts/keyset';
import { DETAIL_FIELDS, type DetailedContact } from './contact-details';
import { ROW_FIELDS } from './contact-row';
import type { ContactColumn } from './contact-columns';
import type { ContactDocument } from './contact.document';
import { contactsProjection } from './contacts.projection';

type Stored = ContactDocument & { _id: string };

/** How long the store may work on one question before it gives up. */
const QUERY_TIME_MAX_MS = 10_000;
/** Before the projector first ran. */
const NO_SUCH_COLLECTION = 26;
const DETAIL_PROJECTION = Object.fromEntries(DETAIL_FIELDS.map((field) => [field, 1]));

/** The contact documents, as questions ask for them. Throws ReadStoreUnavailableError where the same again may succeed. */
@Injectable()
export class ContactReads {
  private readonly contacts: Collection<Stored>;
  /** Paths of dynamic indexes that are known to exist; they are never dropped while this version is read. */
  private readonly dynamicPaths = new Set<string>();

  constructor(@Inject(READ_DB) db: Db) {
    this.contacts = db.collection<Stored>(collectionOf(contactsProjection));
  }

  /** With what details show of it. */
  async find(contactId: string): Promise<DetailedContact | null> {
    const options = { projection: DETAIL_PROJECTION, maxTimeMS: QUERY_TIME_MAX_MS };
    return available(() => this.contacts.findOne({ _id: contactId }, options));
  }

  /** What decides who may be shown the contact. */
  async standing(
    contactId: string,
  ): Promise<Pick<ContactDocument, 'erasure' | 'processingRestricted'> | null> {
    const projection = { erasure: 1, processingRestricted: 1 };
    return available(() =>
      this.contacts.findOne({ _id: contactId }, { projection, maxTimeMS: QUERY_TIME_MAX_MS }),
    );
  }

  /** At most `limit` documents of the stretch that pass the filter, with what rows and the sort column need. */
  async rows(
    filter: StoreFilter,
    range: KeyRange,
    limit: number,
    column: ContactColumn | null,
  ): Promise<ContactDocument[]> {
    const fields =
      column === null || ROW_FIELDS.some((field) => covers(field, column.path)) ? [] : [column.path];
    const options = {
      projection: Object.fromEntries([...ROW_FIELDS, ...fields].map((field) => [field, 1])),
      sort: range.sort,
      limit,
      // One answer holds the whole page.
      batchSize: limit + 1,
      maxTimeMS: QUERY_TIME_MAX_MS,
    };
    return available(() => this.contacts.find(both(filter, range.filter), options).toArray());
  }

  /** The next ids that pass the filter, in their order, at most `limit`. */
  async ids(filter: StoreFilter, afterId: string, limit: number): Promise<string[]> {
    const options = {
      projection: { _id: 1 },
      sort: { _id: 1 },
      limit,
      batchSize: limit + 1,
      maxTimeMS: QUERY_TIME_MAX_MS,
    } as const;
    const found = await available(() =>
      this.contacts.find(both({ _id: { $gt: afterId } }, filter), options).toArray(),
    );
    return found.map(({ _id }) => _id);
  }

  async count(filter: StoreFilter): Promise<number> {
    return available(() => this.contacts.countDocuments(filter, { maxTimeMS: QUERY_TIME_MAX_MS }));
  }

  /** About how many there are, without counting them. */
  async estimatedCount(): Promise<number> {
    return available(() => this.contacts.estimatedDocumentCount({ maxTimeMS: QUERY_TIME_MAX_MS }));
  }

  async aggregate<Row extends object>(pipeline: object[]): Promise<Row[]> {
    return available(() =>
      this.contacts.aggregate<Row>(pipeline, { maxTimeMS: QUERY_TIME_MAX_MS }).toArray(),
    );
  }

  /**
   * Whether any document can have the column: its index is made before the first that does is shown. Beyond the number of
   * indexes that are made, nobody knows.
   */
  async isKnown({ path, dynamic }: ContactColumn): Promise<boolean> {
    if (!dynamic || this.dynamicPaths.has(path)) return true;
    for (const name of await available(() => this.indexNames())) {
      if (name.startsWith(DYNAMIC_INDEX_PREFIX))
        this.dynamicPaths.add(name.slice(DYNAMIC_INDEX_PREFIX.length));
    }
    return this.dynamicPaths.has(path) || this.dynamicPaths.size >= DYNAMIC_INDEXES_MAX;
  }

  private async indexNames(): Promise<readonly string[]> {
    try {
      return (await this.contacts.listIndexes().toArray()).map(({ name }) => String(name));
    } catch (error) {
      if (error instanceof MongoServerError && error.code === NO_SUCH_COLLECTION) return [];
      throw error;
    }
  }
}

const covers = (field: string, path: string): boolean => path === field || path.startsWith(`${field}.`);

const both = (one: StoreFilter, other: StoreFilter): StoreFilter => {
  if (Object.keys(one).length === 0) return other;
  return Object.keys(other).length === 0 ? one : { $and: [one, other] };
};
