import { Inject, Injectable } from '@nestjs/common';
import { available, collectionOf, READ_DB } from '@app/read-store';
import type { Db } from 'mongodb';
import { ErasurePurger } from '../../application/erasure/erasure-purge';
import { contactsProjection } from '../contacts/contacts.projection';

const QUERY_TIME_MAX_MS = 10_000;
/** What the embedded document store says it is made of. */
const EMBEDDED = 'embedded-mongodb';

/**
 * The read models. Folding the erasure strips them; what is left are bytes of earlier versions in the store's files. The
 * embedded store rewrites its files, after which there are none. MongoDB keeps them in its journal and oplog, and in free
 * pages of its collections, which only its operator can clear.
 */
@Injectable()
export class DocumentsPurger extends ErasurePurger {
  readonly store = 'documents';
  private embedded: Promise<boolean> | undefined;

  constructor(@Inject(READ_DB) private readonly db: Db) {
    super();
  }

  async held(contactId: string): Promise<number> {
    const contacts = this.db.collection<{ _id: string }>(collectionOf(contactsProjection));
    const inClear = { _id: contactId, contactId: { $exists: true }, erasure: { $ne: 'erased' } };
    return available(() => contacts.countDocuments(inClear, { maxTimeMS: QUERY_TIME_MAX_MS }));
  }

  async purge(): Promise<string | undefined> {
    if (!(await this.isEmbedded())) {
      return 'journal, oplog and free pages of MongoDB: until the oplog window has passed and compact was run';
    }
    await available(() => this.db.command({ compact: collectionOf(contactsProjection) }));
    return undefined;
  }

  private isEmbedded(): Promise<boolean> {
    this.embedded ??= available(() => this.db.admin().buildInfo()).then(
      ({ modules }) => Array.isArray(modules) && modules.includes(EMBEDDED),
      (error: unknown) => {
        this.embedded = undefined;
        throw error;
      },
    );
    return this.embedded;
  }
}
