import { realMongod, startRealTestMongo } from '@app/testing';
import { staysSuite } from './stays.suite';

if (realMongod() === null) {
  describe.skip('stays on MongoDB: no mongod was found', () => it('is skipped', () => undefined));
} else {
  staysSuite('MongoDB', async () => {
    const server = await startRealTestMongo();
    if (server === null) throw new Error('The mongod that was found is gone.');
    return server;
  });
}
