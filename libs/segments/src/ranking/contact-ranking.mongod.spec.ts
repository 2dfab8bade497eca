import { realMongod, startRealTestMongo } from '@app/testing';
import { contactRankingSuite } from './contact-ranking.suite';

if (realMongod() === null) {
  describe.skip('rankings on MongoDB: no mongod was found', () => it('is skipped', () => undefined));
} else {
  contactRankingSuite('MongoDB', async () => {
    const server = await startRealTestMongo();
    if (server === null) throw new Error('The mongod that was found is gone.');
    return server;
  });
}
