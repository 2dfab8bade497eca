import { Inject, Injectable } from '@nestjs/common';
import { collectionOf, READ_DB } from '@app/read-store';
import type { StoreFilter } from '@app/rules';
import type { Collection, Db } from 'mongodb';
import type { KeyRange } from '../list-contacts/keyset';
import { ROW_FIELDS } from './contact-row';
import type { ContactColumn } from './contact-columns';
import type { ContactDocument } from './contact.document';
import { contactsProjection } from './contacts.projection';

type Stored = ContactDocument & { _id: string };

/** How long the store may work on one question before it gives up. */
const QUERY_TIME_MAX_MS = 10_000;

/** The contact documents, as questions ask for them. */
@Injectable()
export class ContactReads {
  private readonly contacts: Collection<Stored>;
  private readonly indexedPaths = new Set<string>();

  constructor(@Inject(READ_DB) db: Db) {
    this.contacts = db.collection<Stored>(collectionOf(contactsProjection));
  }

  async find(contactId: string): Promise<ContactDocument | null> {
    return this.contacts.findOne({ _id: contactId }, { maxTimeMS: QUERY_TIME_MAX_MS });
  }

  async exists(contactId: string): Promise<boolean> {
    const found = await this.contacts.findOne(
      { _id: contactId },
      { projection: { _id: 1 }, maxTimeMS: QUERY_TIME_MAX_MS },
    );
    return found !== null;
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
    return this.contacts
      .find(both(filter, range.filter), {
        projection: Object.fromEntries([...ROW_FIELDS, ...fields].map((field) => [field, 1])),
        sort: range.sort,
        limit,
        maxTimeMS: QUERY_TIME_MAX_MS,
      })
      .toArray();
  }

  async count(filter: StoreFilter): Promise<number> {
    return this.contacts.countDocuments(filter, { maxTimeMS: QUERY_TIME_MAX_MS });
  }

  /** Whether any document can have the column: its index is made before the first that does is shown. */
  async isKnown({ path, dynamic }: ContactColumn): Promise<boolean> {
    if (!dynamic || this.indexedPaths.has(path)) return true;
    const indexes = await this.contacts.listIndexes().toArray();
    for (const { key } of indexes) for (const indexed of Object.keys(key)) this.indexedPaths.add(indexed);
    return this.indexedPaths.has(path);
  }
}

const covers = (field: string, path: string): boolean => path === field || path.startsWith(`${field}.`);

const both = (one: StoreFilter, other: StoreFilter): StoreFilter => {
  if (Object.keys(one).length === 0) return other;
  return Object.keys(other).length === 0 ? one : { $and: [one, other] };
};
