import { realMongod, startRealTestMongo } from '@app/testing';
import { segmentEngineSuite } from './segment-engine.suite';

if (realMongod() === null) {
  describe.skip('memberships on MongoDB: no mongod was found', () => it('is skipped', () => undefined));
} else {
  segmentEngineSuite('MongoDB', async () => {
    const server = await startRealTestMongo();
    if (server === null) throw new Error('The mongod that was found is gone.');
    return server;
  });
}
