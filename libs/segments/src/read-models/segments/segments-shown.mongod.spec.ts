import { realMongod, startRealTestMongo } from '@app/testing';
import { segmentsShownSuite } from './segments-shown.suite';

if (realMongod() === null) {
  describe.skip('segments as they are shown, on MongoDB: no mongod was found', () =>
    it('is skipped', () => undefined));
} else {
  segmentsShownSuite('MongoDB', async () => {
    const server = await startRealTestMongo();
    if (server === null) throw new Error('The mongod that was found is gone.');
    return server;
  });
}
