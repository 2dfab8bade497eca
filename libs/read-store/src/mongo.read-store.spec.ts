import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from 'mongodb';
import type { RecordedEvent } from '@app/kernel';
import {
  accountsFixture,
  CrashingReadStore,
  ScriptedEventStore,
  SimulatedCrash,
  SimulatedReadStore,
  TEST_MONGOS,
  type TestMongo,
} from '@app/testing';
import type { Stored } from './fold-batch';
import { openReadDatabase, type ReadDatabase } from './mongo.read-database';
import { MongoReadStore } from './mongo.read-store';
import { defineProjection } from './projection';
import { ProjectionRunner } from './projection-runner';
import { CheckpointLostError, ReadStoreUnavailableError } from './read-store.errors';
import type { CheckpointHold, ReadStore } from './read-store.port';

const { accounts, moves, openings, readModels, someHistory } = accountsFixture;

/** Beyond what a number holds exactly. */
const FAR = 2n ** 53n + 1n;

for (const [name, start, available] of TEST_MONGOS) {
  (available ? describe : describe.skip)(`the read store on ${name}`, () => {
    let server: TestMongo | null;
    let database: ReadDatabase;
    let db: Db;
    let store: MongoReadStore;
    let hold: CheckpointHold;

    beforeAll(async () => void (server = await start()));
    afterAll(() => server?.close());
    beforeEach(async () => {
      const { url, dbName } = server as TestMongo;
      database = await openReadDatabase({ url, dbName });
      db = database.db;
      store = new MongoReadStore(db);
      hold = await store.open('test', readModels);
    });
    afterEach(async () => {
      await db.dropDatabase();
      await database.close();
    });

    const doc = (balance: number) => ({ balance, moves: [] });

    it('keeps the state of a ledger that is further on, and rows as they were first written', async () => {
      expect(await store.loadState(openings)).toBeNull();
      await store.saveState(openings, { position: FAR, state: { size: 2 } });
      await store.saveState(openings, { position: FAR - 1n, state: { size: 1 } });
      expect(await store.loadState(openings)).toEqual({ position: FAR, state: { size: 2 } });
      await store.insertRows(openings, [{ _id: 0, doc: { digest: 1 } }]);
      await store.insertRows(
        openings,
        [0, 1].map((_id) => ({ _id, doc: { digest: 2 } })),
      );
      const rows = await db.collection('openings_v1').find().sort({ _id: 1 }).toArray();
      expect(rows).toEqual([
        { _id: 0, digest: 1 },
        { _id: 1, digest: 2 },
      ]);
      await store.dropState(openings);
      expect(await store.loadState(openings)).toBeNull();
    });

    it('loads the documents that exist, with positions as exact as they are', async () => {
      expect(
        await store.save(accounts, [
          { id: 'a', isNew: true, position: FAR, doc: doc(1) },
          { id: 'b', isNew: true, position: 2n, doc: { balance: 0.5, moves: ['x'], note: 'n' } },
        ]),
      ).toBe(true);
      expect(await store.load(accounts, ['a', 'b', 'c'])).toEqual(
        new Map([
          ['a', { position: FAR, doc: doc(1) }],
          ['b', { position: 2n, doc: { balance: 0.5, moves: ['x'], note: 'n' } }],
        ]),
      );
    });

    it('replaces and removes what is behind, and keeps the position of what is removed', async () => {
      await store.save(accounts, [
        { id: 'a', isNew: true, position: FAR, doc: doc(1) },
        { id: 'b', isNew: true, position: FAR, doc: doc(1) },
      ]);
      expect(
        await store.save(accounts, [
          { id: 'a', isNew: false, position: FAR + 1n, doc: doc(2) },
          { id: 'b', isNew: false, position: FAR + 1n, doc: null },
        ]),
      ).toBe(true);
      expect(await store.load(accounts, ['a', 'b'])).toEqual(
        new Map<string, Stored>([
          ['a', { position: FAR + 1n, doc: doc(2) }],
          ['b', { position: FAR + 1n, doc: null }],
        ]),
      );
    });

    it.each([
      ['inserted', { isNew: true, doc: doc(9) }],
      ['replaced', { isNew: false, doc: doc(9) }],
      ['removed', { isNew: false, doc: null }],
    ])(
      'leaves a document that is further on when it is to be %s, writes the rest, and says so',
      async (_, change) => {
        await store.save(accounts, [{ id: 'a', isNew: true, position: FAR + 1n, doc: doc(1) }]);
        expect(
          await store.save(accounts, [
            { id: 'a', position: FAR, ...change },
            { id: 'b', isNew: true, position: FAR, doc: doc(2) },
          ]),
        ).toBe(false);
        expect(await store.load(accounts, ['a', 'b'])).toEqual(
          new Map([
            ['a', { position: FAR + 1n, doc: doc(1) }],
            ['b', { position: FAR, doc: doc(2) }],
          ]),
        );
      },
    );

    it('takes a duplicate in an index that is not the id for what it is: an error', async () => {
      const unique = defineProjection({
        ...accounts,
        name: 'unique',
        indexes: [{ key: { note: 1 }, unique: true }],
      });
      const models = { projections: [unique], journals: [] };
      await store.open('test', models);
      const saved = store.save(
        unique,
        // The value is made to look like the message about an id.
        ['a', 'b'].map((id) => ({ id, isNew: true, position: 1n, doc: { note: 'index: _id_ dup key' } })),
      );
      await expect(saved).rejects.toMatchObject({ code: 11000 });
    });

    it('enters into a journal once', async () => {
      const entries = [FAR, FAR + 1n].map((position) => ({
        position,
        doc: { eventId: `e${position}`, amount: 1 },
      }));
      await store.insert(moves, entries.slice(0, 1));
      await store.insert(moves, entries);
      await store.insert(moves, entries);
      const stored = await db.collection<{ _id: bigint }>('moves_v1').find().sort({ _id: 1 }).toArray();
      expect(stored).toEqual([
        { _id: FAR, eventId: `e${FAR}`, amount: 1 },
        { _id: FAR + 1n, eventId: `e${FAR + 1n}`, amount: 1 },
      ]);
      await expect(
        store.insert(moves, [{ position: 1n, doc: { eventId: `e${FAR}`, amount: 1 } }]),
      ).rejects.toMatchObject({ code: 11000 });
    });

    it('moves a checkpoint forward only, each read model by itself, over all runners', async () => {
      expect(await store.positions()).toEqual(new Map());
      await store.saveCheckpoint(hold, new Map([['a_v1', FAR]]));
      await store.saveCheckpoint(
        hold,
        new Map([
          ['a_v1', FAR - 1n],
          ['b_v1', 2n],
        ]),
      );
      const other = await store.open('other', readModels);
      await store.saveCheckpoint(other, new Map([['b_v1', 3n]]));
      expect(await store.positions()).toEqual(
        new Map([
          ['a_v1', FAR],
          ['b_v1', 3n],
        ]),
      );
    });

    it('notices that its checkpoint is gone, or is not the one it knew', async () => {
      await db.dropDatabase();
      await expect(store.saveCheckpoint(hold, new Map([['a_v1', 1n]]))).rejects.toThrow(CheckpointLostError);
      await store.open('test', readModels);
      await expect(store.saveCheckpoint(hold, new Map([['a_v1', 1n]]))).rejects.toThrow(CheckpointLostError);
    });

    it('makes the indexes that a read model names, and those its documents ask for, up to a bound', async () => {
      const pools = defineProjection({ ...accounts, name: 'pools', indexesFor: ({ moves: paths }) => paths });
      const models = { projections: [pools], journals: [] };
      await store.open('test', models);
      const paths = Array.from({ length: 45 }, (_, n) => `points.p${n}`);
      await store.save(pools, [
        { id: 'a', isNew: true, position: 1n, doc: { balance: 1, moves: paths.slice(0, 30) } },
      ]);
      // Another process, which has to learn what there is.
      const later = new MongoReadStore(db);
      await later.open('test', models);
      await later.save(pools, [{ id: 'b', isNew: true, position: 1n, doc: { balance: 1, moves: paths } }]);
      const keys = (await db.collection('pools_v1').listIndexes().toArray()).map(({ key }) => key as object);
      expect(keys).toEqual([
        { _id: 1 },
        { balance: 1, _id: 1 },
        ...paths.slice(0, 40).map((path) => ({ [path]: 1, _id: 1 })),
      ]);
    });

    it('says that the server is away in the words of the port', async () => {
      const away = await openReadDatabase(server as TestMongo);
      await away.close();
      await expect(new MongoReadStore(away.db).positions()).rejects.toThrow(ReadStoreUnavailableError);
    });

    describe('under the runner', () => {
      const events = someHistory(8);

      const runToEnd = async (on: ReadStore, models = readModels): Promise<void> => {
        const stopping = new AbortController();
        const inFours = <T>(items: readonly T[]) =>
          Array.from({ length: Math.ceil(items.length / 4) }, (_, n) => items.slice(4 * n, 4 * n + 4));
        const log = new ScriptedEventStore(events, inFours);
        const runner = new ProjectionRunner({ name: 'test', events: log, store: on, readModels: models });
        const running = runner.run(stopping.signal);
        running.catch(() => undefined);
        const end = (events.at(-1) as RecordedEvent).meta.position;
        while (runner.status().state !== 'failed' && runner.status().position !== end) await sleep(1);
        stopping.abort();
        await running;
      };

      const COLLECTIONS = ['accounts_v1', 'tally_v1', 'moves_v1', 'openings_v1', 'ledgers', 'checkpoints'];
      const contents = async () => {
        const stored: Record<string, Record<string, string>> = {};
        for (const collection of COLLECTIONS.slice(0, -1)) {
          const rows: Record<string, string> = {};
          const bytes = await db.collection(collection).find({}, { raw: true }).toArray();
          const ids = await db.collection(collection).find().toArray();
          bytes.forEach((row, n) => {
            rows[String(ids[n]?._id)] = Buffer.from(row as unknown as Uint8Array).toString('hex');
          });
          if (bytes.length > 0) stored[collection] = rows;
        }
        return stored;
      };

      const expected = async () => {
        const simulated = new SimulatedReadStore();
        await runToEnd(simulated);
        return simulated.contents();
      };

      it('holds the very bytes that the simulated store holds', async () => {
        await runToEnd(store);
        expect(await contents()).toEqual(await expected());
      });

      it('holds the same bytes wherever the runner died', async () => {
        const counting = new CrashingReadStore(new SimulatedReadStore());
        await runToEnd(counting);
        const whole = await expected();
        for (let step = 1; step <= counting.steps; step += 1) {
          for (const name of COLLECTIONS) await db.collection(name).deleteMany({});
          await expect(runToEnd(new CrashingReadStore(store, step))).rejects.toThrow(SimulatedCrash);
          await runToEnd(store);
          expect([step, await contents()]).toEqual([step, whole]);
        }
      });

      it('holds the same bytes when two runners were at work', async () => {
        await Promise.all([runToEnd(store), runToEnd(new MongoReadStore(db))]);
        expect(await contents()).toEqual(await expected());
      });
    });
  });
}
