import {
  Binary,
  Collection,
  Db,
  Document,
  Long,
  MongoBulkWriteError,
  MongoClient,
  MongoServerError,
} from 'mongodb';

/** What the application relies on, asked through the official driver: every server has to answer the same. */
export const documentStoreSuite = (open: () => Promise<string>): void => {
  let client: MongoClient;
  let db: Db;
  let rows: Collection<Document>;
  let number = 0;

  beforeAll(async () => {
    client = await MongoClient.connect(await open());
    db = client.db(`suite_${process.pid}_${Date.now()}`);
  });
  beforeEach(() => {
    number += 1;
    rows = db.collection(`rows_${number}`);
  });
  afterAll(async () => {
    await db.dropDatabase();
    await client.close();
  });

  const codeOf = async (action: Promise<unknown>): Promise<unknown> =>
    action.then(
      () => 'no error',
      (error: MongoServerError) => error.code,
    );
  const ids = async (filter: Document, sort: Document = { _id: 1 }): Promise<unknown[]> =>
    (
      await rows
        .find(filter)
        .sort(sort as never)
        .toArray()
    ).map(({ _id }) => _id);
  const stagesOf = ({ stage, inputStage, inputStages }: Document): string[] => [
    stage,
    ...[...(inputStage ? [inputStage] : []), ...(inputStages ?? [])].flatMap(stagesOf),
  ];

  describe('handshake and administration', () => {
    it('says what it is', async () => {
      const hello = await db.command({ hello: 1 });
      expect(hello).toMatchObject({ isWritablePrimary: true, maxBsonObjectSize: 16777216, ok: 1 });
      expect((await db.command({ buildInfo: 1 }))['version']).toMatch(/^\d+\.\d+\.\d+$/);
      expect(await db.command({ ping: 1 })).toMatchObject({ ok: 1 });
    });

    it('creates, lists, renames and drops', async () => {
      await rows.insertOne({ _id: 1 as never });
      const other = await db.createCollection(`other_${number}`);
      await other.insertOne({ _id: 2 as never });
      expect(await codeOf(db.createCollection(`other_${number}`, { capped: false }))).toBe(48);
      expect(await codeOf(rows.rename(other.collectionName))).toBe(48);
      await rows.rename(other.collectionName, { dropTarget: true });
      expect(await db.collection(other.collectionName).find().toArray()).toEqual([{ _id: 1 }]);
      const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
      expect(names).toContain(other.collectionName);
      expect(names).not.toContain(rows.collectionName);
      expect((await client.db().admin().listDatabases()).databases.map(({ name }) => name)).toContain(
        db.databaseName,
      );
      expect(await other.drop()).toBe(true);
    });

    it('keeps indexes', async () => {
      expect(await rows.createIndex({ a: 1, b: -1 })).toBe('a_1_b_-1');
      expect(await rows.createIndex({ a: 1, b: -1 })).toBe('a_1_b_-1');
      await rows.createIndex({ u: 1 }, { unique: true, sparse: true, name: 'only' });
      expect(await rows.indexes()).toEqual([
        { v: 2, key: { _id: 1 }, name: '_id_' },
        { v: 2, key: { a: 1, b: -1 }, name: 'a_1_b_-1' },
        { v: 2, key: { u: 1 }, name: 'only', unique: true, sparse: true },
      ]);
      expect(await codeOf(rows.createIndex({ a: 1, b: -1 }, { name: 'again' }))).toBe(85);
      expect(await codeOf(rows.createIndex({ c: 1 }, { name: 'only' }))).toBe(86);
      expect(await codeOf(rows.createIndex({ a: 1 }, { strange: 1 } as never))).toBe('no error');
      await rows.dropIndex('a_1_b_-1');
      expect(await codeOf(rows.dropIndex('a_1_b_-1'))).toBe(27);
      expect(await codeOf(rows.dropIndex('_id_'))).toBe(72);
    });

    it('refuses what it does not know with the code of a server', async () => {
      expect(await codeOf(db.command({ noSuchCommand: 1 }))).toBe(59);
      expect(await codeOf(rows.aggregate([{ $noSuchStage: 1 }]).toArray())).toBe(40324);
      expect(await codeOf(rows.find({ a: { $noSuchOperator: 1 } }).toArray())).toBe(2);
      expect(await codeOf(rows.updateOne({}, { $noSuchOperator: { a: 1 } }))).toBe(9);
      expect(await codeOf(rows.find({ $noSuchOperator: 1 }).toArray())).toBe(2);
      const pipeline = [{ $group: { _id: { $noSuchExpression: 1 } } }];
      expect(await codeOf(rows.aggregate(pipeline).toArray())).toBe(168);
    });

    it('has no transactions, as a server that stands alone', async () => {
      const session = client.startSession();
      session.startTransaction();
      await expect(rows.insertOne({ a: 1 }, { session })).rejects.toThrow();
      await session.endSession();
    });
  });

  describe('writing', () => {
    it('names the duplicate key and goes on after it where the order does not matter', async () => {
      await rows.insertOne({ _id: 2 as never });
      const documents = [1, 2, 3, 2, 4].map((_id) => ({ _id: _id as never }));
      const error = await rows
        .insertMany(documents, { ordered: false })
        .catch((caught: MongoBulkWriteError) => caught);
      expect(error).toBeInstanceOf(MongoBulkWriteError);
      const { writeErrors, insertedCount } = error as MongoBulkWriteError;
      expect([writeErrors].flat().map(({ index, code }) => [index, code])).toEqual([
        [1, 11000],
        [3, 11000],
      ]);
      expect(insertedCount).toBe(3);
      expect(await ids({})).toEqual([1, 2, 3, 4]);
    });

    it('stops at the first error where the order matters', async () => {
      await rows.insertOne({ _id: 2 as never });
      await rows.insertMany([1, 2, 3].map((_id) => ({ _id: _id as never }))).catch(() => undefined);
      expect(await ids({})).toEqual([1, 2]);
    });

    it('says which key of which index is taken', async () => {
      await rows.createIndex({ 'a.b': 1, c: -1 }, { unique: true });
      await rows.insertOne({ a: { b: 'x' }, c: 1 });
      const error = await rows
        .insertOne({ a: { b: 'x' }, c: 1.0 })
        .catch((caught: MongoServerError) => caught);
      expect(error).toMatchObject({
        code: 11000,
        keyPattern: { 'a.b': 1, c: -1 },
        keyValue: { 'a.b': 'x', c: 1 },
      });
      expect((error as MongoServerError).message).toMatch(
        /^E11000 duplicate key error collection: \S+ index: a.b_1_c_-1 dup key: \{ a.b: "x", c: 1 \}$/,
      );
      expect(await codeOf(rows.updateOne({ z: 1 }, { $set: { 'a.b': 'x', c: 1 } }, { upsert: true }))).toBe(
        11000,
      );
    });

    it('guards replacements by a position beyond 2^53', async () => {
      const position = (text: string): Long => Long.fromString(text);
      await rows.insertOne({ _id: 'a' as never, _position: position('9007199254740993'), v: 1 });
      const replace = (at: string, v: number) => ({
        replaceOne: {
          filter: { _id: 'a' as never, _position: { $lt: position(at) } },
          replacement: { _position: position(at), v },
        },
      });
      const behind = await rows.bulkWrite([replace('9007199254740992', 2), replace('9007199254740993', 3)], {
        ordered: false,
      });
      expect(behind.matchedCount).toBe(0);
      const ahead = await rows.bulkWrite([replace('9007199254740994', 4)], { ordered: false });
      expect([ahead.matchedCount, ahead.modifiedCount]).toEqual([1, 1]);
      const [found] = await rows.find({}, { useBigInt64: true }).toArray();
      expect(found).toEqual({ _id: 'a', _position: 9007199254740994n, v: 4 });
    });

    it('upserts from the filter and from the update', async () => {
      const made = await rows.updateOne(
        { _id: 7 as never, a: 1, b: { $gt: 5 } },
        { $set: { c: 2 }, $setOnInsert: { d: 3 } },
        { upsert: true },
      );
      expect([made.upsertedCount, made.upsertedId, made.matchedCount]).toEqual([1, 7, 0]);
      expect(await rows.findOne()).toEqual({ _id: 7, a: 1, c: 2, d: 3 });
      const again = await rows.updateOne({ _id: 7 as never }, { $setOnInsert: { d: 4 } }, { upsert: true });
      expect([again.matchedCount, again.modifiedCount]).toEqual([1, 0]);
    });

    it('lets one of many racing upserts and guarded updates through', async () => {
      const upserts = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          rows.updateOne({ _id: 1 as never }, { $setOnInsert: { n } }, { upsert: true }),
        ),
      );
      expect(upserts.filter((result) => result.upsertedCount === 1)).toHaveLength(1);
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          rows.updateOne({ _id: 1 as never, by: { $exists: false } }, { $set: { by: n } }),
        ),
      );
      expect(claims.filter((result) => result.modifiedCount === 1)).toHaveLength(1);
    });

    it('finds and changes in one step', async () => {
      await rows.insertMany([3, 1, 2].map((n) => ({ _id: n as never, n })));
      expect(
        await rows.findOneAndUpdate({}, { $inc: { n: 10 } }, { sort: { n: 1 }, returnDocument: 'after' }),
      ).toEqual({ _id: 1, n: 11 });
      expect(
        await rows.findOneAndDelete({ n: { $gt: 2 } }, { sort: { n: -1 }, projection: { n: 1, _id: 0 } }),
      ).toEqual({ n: 11 });
      expect(
        await rows.findOneAndReplace(
          { _id: 9 as never },
          { z: 1 },
          { upsert: true, returnDocument: 'after' },
        ),
      ).toEqual({ _id: 9, z: 1 });
      expect(await rows.findOneAndUpdate({ _id: 'none' as never }, { $set: { a: 1 } })).toBeNull();
    });

    it('changes and removes many', async () => {
      await rows.insertMany(Array.from({ length: 500 }, (_, n) => ({ _id: n as never, even: n % 2 === 0 })));
      const changed = await rows.updateMany({ even: true }, { $set: { x: 1 } });
      expect([changed.matchedCount, changed.modifiedCount]).toEqual([250, 250]);
      expect((await rows.deleteMany({ x: 1 })).deletedCount).toBe(250);
      expect(await rows.countDocuments()).toBe(250);
    });

    it('refuses to change what must not change', async () => {
      await rows.insertOne({ _id: 1 as never, a: 1, list: 'no' });
      expect(await codeOf(rows.updateOne({ _id: 1 as never }, { $set: { _id: 2 } }))).toBe(66);
      expect(await codeOf(rows.replaceOne({ _id: 1 as never }, { _id: 2 } as never))).toBe(66);
      expect(await codeOf(rows.updateOne({ _id: 1 as never }, { $set: { 'a.b': 1 } }))).toBe(28);
      expect(await codeOf(rows.updateOne({ _id: 1 as never }, { $push: { list: 1 } as never }))).toBe(2);
      expect(await codeOf(rows.updateOne({ _id: 1 as never }, { $inc: { list: 1 } as never }))).toBe(14);
      expect(await codeOf(rows.updateOne({ _id: 1 as never }, { $set: { a: 1, 'a.b': 2 } }))).toBe(40);
      expect(await codeOf(rows.insertOne({ _id: [1] as never }))).toBe(53);
      expect(await rows.findOne()).toEqual({ _id: 1, a: 1, list: 'no' });
    });

    it('takes unacknowledged and journaled writes', async () => {
      await rows.insertOne({ _id: 1 as never }, { writeConcern: { w: 0 } });
      await rows.insertOne({ _id: 2 as never }, { writeConcern: { w: 'majority', j: true } });
      const deadline = Date.now() + 5_000;
      while ((await rows.countDocuments()) < 2 && Date.now() < deadline);
      expect(await ids({})).toEqual([1, 2]);
    });

    it('takes a batch of many megabytes', async () => {
      const text = 'x'.repeat(200_000);
      await rows.insertMany(Array.from({ length: 200 }, (_, n) => ({ _id: n as never, text })));
      const lengths = await rows
        .find()
        .map((row) => (row['text'] as string).length)
        .toArray();
      expect(lengths).toEqual(Array(200).fill(200_000));
      const tooBig = rows.insertOne({ text: 'x'.repeat(17_000_000) });
      await expect(tooBig).rejects.toThrow();
    });
  });

  describe('reading', () => {
    it('gets a list in batches, and stops when told', async () => {
      await rows.insertMany(Array.from({ length: 1_000 }, (_, n) => ({ _id: n as never })));
      expect(await rows.find().batchSize(7).sort({ _id: -1 }).limit(500).skip(3).toArray()).toHaveLength(500);
      const cursor = rows.find().batchSize(10);
      await cursor.next();
      await cursor.close();
      const none = await db
        .command({ getMore: Long.fromNumber(12345), collection: rows.collectionName })
        .catch((error: MongoServerError) => error.code);
      expect(none).toBe(43);
    });

    it('keeps types, order of fields and numeric names', async () => {
      const document = {
        _id: 'k' as never,
        '2024': 1,
        b: new Date(5),
        '7': new Binary(Buffer.from('x')),
        a: null,
        l: Long.fromString('5'),
      };
      await rows.insertOne(document);
      await rows.updateOne({}, { $set: { b: 2.5, '1': true } });
      const [raw] = await rows.find({}, { promoteValues: false }).toArray();
      expect(
        Object.fromEntries(
          Object.entries(raw!).map(([name, value]) => [name, (value as Document)?.['_bsontype'] ?? null]),
        ),
      ).toEqual({
        '1': null,
        '7': 'Binary',
        '2024': 'Int32',
        _id: null,
        b: 'Double',
        a: null,
        l: 'Long',
      });
    });

    it('compares numbers across their types and nothing else', async () => {
      await rows.insertMany([
        { _id: 1, v: 5 },
        { _id: 2, v: Long.fromNumber(5) },
        { _id: 3, v: 5.5 },
        { _id: 4, v: '5' },
        { _id: 5, v: null },
        { _id: 6 },
      ] as never[]);
      for (const index of [undefined, { v: 1 } as const]) {
        if (index) await rows.createIndex(index);
        expect(await ids({ v: 5 })).toEqual([1, 2]);
        expect(await ids({ v: { $gt: 4 } })).toEqual([1, 2, 3]);
        expect(await ids({ v: null })).toEqual([5, 6]);
        expect(await ids({ v: { $exists: false } })).toEqual([6]);
        expect(await ids({ v: { $ne: 5 } })).toEqual([3, 4, 5, 6]);
        expect(await ids({}, { v: 1, _id: 1 })).toEqual([5, 6, 1, 2, 3, 4]);
        expect(await ids({}, { v: -1, _id: -1 })).toEqual([4, 3, 2, 1, 6, 5]);
      }
    });

    it('looks into arrays', async () => {
      await rows.insertMany([
        {
          _id: 1,
          terms: ['anna', 'berg'],
          lots: [
            { pool: 'a', n: 1 },
            { pool: 'b', n: 5 },
          ],
        },
        { _id: 2, terms: ['bert'], lots: [{ pool: 'a', n: 5 }] },
        { _id: 3, terms: [], lots: [] },
      ] as never[]);
      for (const index of [undefined, { terms: 1 } as const]) {
        if (index) await rows.createIndex(index);
        expect(await ids({ terms: 'berg' })).toEqual([1]);
        expect(await ids({ terms: { $elemMatch: { $gte: 'ber', $lt: 'bes' } } })).toEqual([1, 2]);
        expect(await ids({ terms: /^ann/ })).toEqual([1]);
        expect(await ids({ terms: { $all: ['anna', 'berg'] } })).toEqual([1]);
        expect(await ids({ lots: { $elemMatch: { pool: 'a', n: 5 } } })).toEqual([2]);
        expect(await ids({ 'lots.pool': 'a', 'lots.n': 5 })).toEqual([1, 2]);
        expect(await ids({ terms: { $size: 0 } })).toEqual([3]);
      }
    });

    it('groups, counts, unwinds and facets', async () => {
      await rows.insertMany(
        Array.from({ length: 100 }, (_, n) => ({
          _id: n as never,
          city: `c${n % 3}`,
          n,
          tags: ['x', `t${n % 2}`],
        })),
      );
      expect(
        await rows
          .aggregate([
            { $group: { _id: '$city', count: { $sum: 1 }, sum: { $sum: '$n' }, top: { $max: '$n' } } },
            { $sort: { _id: 1 } },
          ])
          .toArray(),
      ).toEqual([
        { _id: 'c0', count: 34, sum: 1683, top: 99 },
        { _id: 'c1', count: 33, sum: 1617, top: 97 },
        { _id: 'c2', count: 33, sum: 1650, top: 98 },
      ]);
      const [facets] = await rows
        .aggregate([
          { $match: { n: { $lt: 10 } } },
          {
            $facet: {
              total: [{ $count: 'n' }],
              tags: [
                { $unwind: '$tags' },
                { $group: { _id: '$tags', n: { $sum: 1 } } },
                { $sort: { _id: 1 } },
              ],
            },
          },
        ])
        .toArray();
      expect(facets).toEqual({
        total: [{ n: 10 }],
        tags: [
          { _id: 't0', n: 5 },
          { _id: 't1', n: 5 },
          { _id: 'x', n: 10 },
        ],
      });
      expect((await rows.distinct('city')).sort()).toEqual(['c0', 'c1', 'c2']);
      expect(await rows.countDocuments({ city: 'c1' }, { skip: 3, limit: 20 })).toBe(20);
    });
  });

  describe('a page of a long list', () => {
    const COUNT = 5_000;
    const LIMIT = 20;
    let list: Collection<Document>;

    beforeAll(async () => {
      list = db.collection('list');
      await list.createIndexes([
        { key: { points: 1, _id: 1 } },
        { key: { city: 1, at: -1 } },
        { key: { term: 1 } },
        { key: { rare: 1 } },
      ]);
      await list.insertMany(
        Array.from({ length: COUNT }, (_, n) => ({
          _id: `id-${String(n).padStart(6, '0')}` as never,
          // Many share a value, so that pages have to go on within it.
          points: n % 2 === 0 ? 0 : n % 1_000,
          city: `city-${n % 10}`,
          at: (n * 7_919) % COUNT,
          term: [`name-${n % 500}`, `mail-${n}`],
          rare: n % 1_000,
        })),
      );
    });

    const examined = async (
      filter: Document,
      sort: Document,
    ): Promise<{ stages: string[]; docs: number; keys: number }> => {
      const explained = await list
        .find(filter)
        .sort(sort as never)
        .limit(LIMIT)
        .explain('executionStats');
      const { totalDocsExamined, totalKeysExamined } = explained['executionStats'];
      return {
        stages: stagesOf(explained['queryPlanner'].winningPlan),
        docs: totalDocsExamined,
        keys: totalKeysExamined,
      };
    };

    it.each<[string, Document, Document]>([
      ['the first', {}, { points: 1, _id: 1 }],
      ['the first from the end', {}, { points: -1, _id: -1 }],
      [
        'one within a value that many share',
        { $or: [{ points: { $gt: 0 } }, { points: 0, _id: { $gt: 'id-003000' } }] },
        { points: 1, _id: 1 },
      ],
      [
        'one within it from the end',
        { $or: [{ points: { $lt: 0 } }, { points: 0, _id: { $lt: 'id-003000' } }] },
        { points: -1, _id: -1 },
      ],
      ['one of an equality and an order', { city: 'city-3' }, { city: 1, at: -1 }],
      ['one of an equality and the order behind it', { city: 'city-3', at: { $lt: 2_000 } }, { at: -1 }],
    ])('%s costs what it shows', async (_, filter, sort) => {
      const { stages, docs, keys } = await examined(filter, sort);
      expect(stages).toContain('IXSCAN');
      expect(stages).not.toContain('SORT');
      expect(docs).toBeLessThanOrEqual(LIMIT + 2);
      expect(keys).toBeLessThanOrEqual(LIMIT + 4);
    });

    it('finds few by their own index and sorts them', async () => {
      const { stages, docs } = await examined({ rare: 77 }, { points: 1, _id: 1 });
      expect(stages).toContain('IXSCAN');
      expect(docs).toBeLessThanOrEqual(LIMIT + 2);
    });

    it('finds by the beginning of a word', async () => {
      const { stages, docs } = await examined(
        { term: { $elemMatch: { $gte: 'mail-12', $lt: 'mail-13' } } },
        { _id: 1 },
      );
      expect(stages).toContain('IXSCAN');
      expect(docs).toBeLessThanOrEqual(120);
    });

    it('reads every row once when paged through to the end', async () => {
      const seen: unknown[] = [];
      let after: Document | undefined;
      do {
        const filter: Document = after
          ? {
              $or: [
                { points: { $gt: after['points'] } },
                { points: after['points'], _id: { $gt: after['_id'] } },
              ],
            }
          : {};
        const page = await list.find(filter).sort({ points: 1, _id: 1 }).limit(500).toArray();
        seen.push(...page.map(({ _id }) => _id));
        after = page.at(-1);
      } while (after);
      expect(seen).toHaveLength(COUNT);
      expect(new Set(seen).size).toBe(COUNT);
    });
  });
};
