import fc from 'fast-check';
import { Collection, Document, MongoClient } from 'mongodb';
import { answerOf, isUnsettled } from './document-store.differential';
import { operation, Operation } from './document-store.generators';
import { embeddedServer, realServer } from './document-store.servers';
import { documentStoreSuite } from './document-store.suite';

const real = realServer();
const servers = [embeddedServer(), ...(real ? [real] : [])];
const START_MS_MAX = 600_000;

// A suite that did not run should be seen: `MONGODB_URL` or `MONGOD_BINARY` names a real server to hold this one against.
process.stdout.write(
  `document store suite runs on: ${servers.map(({ name }) => name).join(', ')}` +
    `${real ? '' : ' (neither MONGODB_URL nor MONGOD_BINARY names a real server)'}\n`,
);

/** Each server is started once, whichever suite needs it first. */
const addresses = new Map<string, Promise<string>>();
const addressOf = (at: number): Promise<string> => {
  const { name, open } = servers[at]!;
  const address = addresses.get(name) ?? open();
  addresses.set(name, address);
  return address;
};

jest.setTimeout(START_MS_MAX);
afterAll(() => Promise.all(servers.map(({ close }) => close())), START_MS_MAX);

describe.each(servers.map(({ name }, at) => ({ name, at })))('$name', ({ at }) => {
  documentStoreSuite(() => addressOf(at));
});

(real ? describe : describe.skip)('the embedded server beside the real one', () => {
  const everything: Operation = {
    kind: 'find',
    filter: {},
    sort: [['_id', 1]],
    projection: {},
    skip: 0,
    limit: 0,
    batchSize: 100,
  };

  it('gives the same answers and the same errors, to the type', async () => {
    const urls = await Promise.all([addressOf(0), addressOf(1)]);
    const clients = await Promise.all(urls.map((url) => MongoClient.connect(url, { promoteValues: false })));
    let number = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 2, maxLength: 25, size: 'max' }),
        async (operations) => {
          number += 1;
          const collections = clients.map((client): Collection<Document> =>
            client.db(`differential_${process.pid}`).collection(`c${number}`),
          );
          for (const each of [...operations, everything]) {
            const [embedded, other] = await Promise.all(
              collections.map((collection) => answerOf(collection, each)),
            );
            if (isUnsettled(each, [embedded!, other!])) continue;
            expect(embedded).toBe(other);
            // How far an update of many got before it was refused depends on the order in which it went.
            if (each.kind === 'update' && each.many && embedded!.includes('"error"')) break;
          }
          await Promise.all(collections.map((collection) => collection.drop()));
        },
      ),
      { numRuns: 25 },
    );
    await Promise.all(clients.map((client) => client.db(`differential_${process.pid}`).dropDatabase()));
    await Promise.all(clients.map((client) => client.close()));
  });
});
