import fc from 'fast-check';
import type { Document } from 'mongodb';
import { TEST_MONGOS, type TestMongo } from '@app/testing';
import { updateBetween } from './document-update';
import { openReadDatabase, type ReadDatabase } from './mongo.read-database';

const NAMES = ['a', 'b', 'c', 'with.dot', 'with space', '0', 'constructor'];

const leaf = fc.oneof(
  fc.constantFrom(null, undefined, true, '', 'x', 1n, 2n, new Date(0), new Date(1)),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const { document: documents } = fc.letrec<{ value: unknown; document: Document }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie('value'), { noNullPrototype: true }),
  ),
  document: fc.dictionary(
    fc.constantFrom(...NAMES.filter((name) => !name.includes('.'))),
    fc.oneof(tie('value'), leaf),
    { noNullPrototype: true },
  ),
}));
/** A document, and it again with some fields of another; what they share is the same object, as folds leave it. */
const pairs = fc.tuple(documents, documents).chain(([before, other]) =>
  fc.subarray(Object.keys(before)).map((kept) => {
    const shared = Object.fromEntries(kept.map((key) => [key, before[key] as unknown]));
    return [before, { ...other, ...shared }] as const;
  }),
);

for (const [name, start, available] of TEST_MONGOS) {
  (available ? describe : describe.skip)(`updateBetween on ${name}`, () => {
    let server: TestMongo;
    let database: ReadDatabase;
    beforeAll(async () => {
      server = (await start()) as TestMongo;
      database = await openReadDatabase({ url: server.url, dbName: 'updates' });
    });
    afterAll(async () => {
      await database?.close();
      await server?.close();
    });

    it('makes the one document of the other', async () => {
      const collection = database.db.collection<{ _id: number }>('documents');
      let _id = 0;
      await fc.assert(
        fc.asyncProperty(pairs, async ([before, after]) => {
          _id += 1;
          await collection.insertOne({ _id, ...before });
          const update = updateBetween(before, after);
          if (Object.keys(update).length > 0) await collection.updateOne({ _id }, update);
          await collection.insertOne({ _id: -_id, ...after });
          const [written, expected] = await Promise.all([
            collection.findOne({ _id }, { projection: { _id: 0 } }),
            collection.findOne({ _id: -_id }, { projection: { _id: 0 } }),
          ]);
          expect(written).toEqual(expected);
        }),
        { numRuns: 300 },
      );
    });
  });
}

describe('updateBetween', () => {
  it('says nothing where nothing differs', () => {
    fc.assert(
      fc.property(documents, (document) => {
        expect(updateBetween(document, { ...document })).toEqual({});
      }),
    );
  });

  it('names the deepest fields, and whole what has no path', () => {
    const before = { kept: { x: 1 }, gone: 1, deep: { x: 1, y: { z: 1 } }, dotted: { 'a.b': 1, c: 1 } };
    const after = { kept: { x: 1 }, deep: { x: 1, y: { z: 2 } }, dotted: { 'a.b': 1, c: 2 }, list: [1] };
    expect(updateBetween(before, after)).toEqual({
      $set: { 'deep.y.z': 2, dotted: { 'a.b': 1, c: 2 }, list: [1] },
      $unset: { gone: '' },
    });
  });
});
