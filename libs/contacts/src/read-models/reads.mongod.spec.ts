import { realMongod, startRealTestMongo } from '@app/testing';
import { readsSuite } from './reads.suite';

if (realMongod() === null) {
  describe.skip('questions about contacts on MongoDB: no mongod was found', () =>
    it('is skipped', () => undefined));
} else {
  readsSuite('MongoDB', async () => {
    const server = await startRealTestMongo();
    if (server === null) throw new Error('The mongod that was found is gone.');
    return server;
  });
}
