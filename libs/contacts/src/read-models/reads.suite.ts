import { openReadDatabase, type ReadDatabase } from '@app/read-store';
import type { TestMongo } from '@app/testing';
import { followActivitySuite } from './follow-activity/follow-activity.suite';
import { listActivitySuite } from './list-activity/list-activity.suite';
import { historyFiltersSuite } from './list-contacts/history-filters.suite';
import { getContactSuite } from './get-contact/get-contact.suite';
import { contactListSuite } from './list-contacts/list-contacts.suite';
import { ruleFiltersSuite } from './list-contacts/rule-filters.suite';
import { summariseContactsSuite } from './summarise-contacts/summarise-contacts.suite';

/** Every question about contacts, on one document store. */
export const readsSuite = (name: string, start: () => Promise<TestMongo>): void => {
  describe(`questions about contacts on ${name}`, () => {
    let server: TestMongo;
    let database: ReadDatabase;
    const db = () => database.db;

    beforeAll(async () => {
      server = await start();
      database = await openReadDatabase(server);
    });

    afterAll(async () => {
      await database?.close();
      await server?.close();
    });

    contactListSuite(db);
    getContactSuite(db);
    ruleFiltersSuite(db);
    historyFiltersSuite(db);
    summariseContactsSuite(db);
    listActivitySuite(db);
    followActivitySuite(db);
  });
};
