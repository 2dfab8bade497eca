import { realMongod, startMongod } from '@app/testing';
import { contactListSuite } from './list-contacts.suite';

const path = realMongod();
if (path === null)
  describe.skip('contact lists on MongoDB: no mongod was found', () => it('is skipped', () => undefined));
else contactListSuite('MongoDB', () => startMongod(path));
