import { collectionOf, foldBatch, MongoReadStore, type Change } from '@app/read-store';
import { contactLogs } from '@app/testing';
import fc from 'fast-check';
import type { Db } from 'mongodb';
import { contactDetails, DETAIL_FIELDS } from '../contacts/contact-details';
import type { ContactDocument } from '../contacts/contact.document';
import { contactsProjection } from '../contacts/contacts.projection';
import { ContactReads } from '../contacts/mongo.contact-reads';

/** Details against what the whole document would show. */
export const getContactSuite = (db: () => Db): void => {
  describe('the details of a contact', () => {
    it('are those of the whole document, and only what they show is read', async () => {
      const store = new MongoReadStore(db());
      await store.open('spec', { projections: [contactsProjection], journals: [] });
      const [log = []] = fc.sample(contactLogs({ contactsMax: 25, stepsMax: 20 }), { seed: 5, numRuns: 1 });
      const docs = (foldBatch(contactsProjection, log, new Map()) as Change<ContactDocument>[]).flatMap(
        (change) => (change.doc === null ? [] : [{ ...change, doc: { ...change.doc, facts: { of: 1 } } }]),
      );
      await db().collection(collectionOf(contactsProjection)).deleteMany({});
      await store.save(contactsProjection, docs);

      const reads = new ContactReads(db());
      expect(docs.length).toBeGreaterThan(5);
      for (const { doc } of docs) {
        const found = await reads.find(doc.contactId);
        expect(['_id', ...DETAIL_FIELDS]).toEqual(expect.arrayContaining(Object.keys(found ?? {})));
        expect(found && contactDetails(found)).toEqual(contactDetails(doc));
        expect([found?.erasure, found?.processingRestricted]).toEqual([
          doc.erasure,
          doc.processingRestricted,
        ]);
      }
      expect(await reads.find('nobody')).toBeNull();
    });
  });
};
