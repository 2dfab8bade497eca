import { realMongod, startRealTestMongo } from '@app/testing';
import { ruleAnswersSuite } from './rule-answers.suite';

if (realMongod() === null) {
  describe.skip('what rules find on MongoDB: no mongod was found', () => it('is skipped', () => undefined));
} else {
  ruleAnswersSuite('MongoDB', async () => {
    const server = await startRealTestMongo();
    if (server === null) throw new Error('The mongod that was found is gone.');
    return server;
  });
}
