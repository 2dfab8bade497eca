import { randomBytes, randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { TEST_MONGOS, type TestMongo } from '@app/testing';
import { KeyRingSetupError, KeyRingUnavailableError } from './key-ring.errors';
import { describeKeyStore } from './key-store.suite';
import { WRAPPED_SIZE } from './key-wrapping';
import { MongoKeyStore } from './mongo.key-store';

for (const [name, start, available] of TEST_MONGOS) {
  (available ? describe : describe.skip)(`MongoKeyStore on ${name}`, () => {
    let server: TestMongo;
    let dbName: string;

    beforeAll(async () => void (server = (await start()) as TestMongo));
    afterAll(() => server?.close());
    beforeEach(() => void (dbName = randomUUID()));

    describe('as every store of keys', () =>
      describeKeyStore(() => MongoKeyStore.open({ url: server.url, dbName })));

    it('holds nothing of a destroyed key in any document', async () => {
      const store = await MongoKeyStore.open({ url: server.url, dbName });
      const key = { kek: 1, wrapped: randomBytes(WRAPPED_SIZE) };
      await store.create('a', key);
      await store.destroy('a', 1);
      expect(await store.page(null, 10)).toEqual([['a', { kind: 'destroyed', at: 1 }]]);
      await store.close();
    });

    it('is unavailable once it is closed, and says nothing of what it was to write', async () => {
      const store = await MongoKeyStore.open({ url: server.url, dbName });
      await store.close();
      const key = { kek: 1, wrapped: randomBytes(WRAPPED_SIZE) };
      const error: unknown = await store.create('a', key).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(KeyRingUnavailableError);
      const printed = inspect(error, { depth: 10 });
      for (const form of ['hex', 'base64'] as const)
        expect(printed).not.toContain(key.wrapped.toString(form).slice(0, 12));
    });
  });
}

describe('MongoKeyStore', () => {
  it('says in one line what is wrong with an address, and not the address', async () => {
    const opening = MongoKeyStore.open({ url: 'mongodb://user:hunter2@/?nonsense=1' });
    await expect(opening).rejects.toThrow(KeyRingSetupError);
    await expect(opening).rejects.not.toThrow(/hunter2/);
    await expect(
      MongoKeyStore.open({ url: 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200' }),
    ).rejects.toThrow(KeyRingSetupError);
  });
});
