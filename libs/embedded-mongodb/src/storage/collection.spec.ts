import { cpSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Document, Long } from 'bson';
import fc from 'fast-check';
import { asValue } from '../bson/raw-value';
import { Engine } from '../commands/engine';
import { run } from '../commands/run-command.fixture';
import { Collection } from './collection';
import { recordOfKey, recordOfValue } from './index-key';
import { afterPrefix } from '../bson/key-encoding';

/** Every entry there is and every entry there should be, as `index:key:record`. */
const entriesOf = (engine: Engine, collection: Collection): { stored: string[]; derived: string[] } => {
  const stored: string[] = [];
  const derived: string[] = [];
  const documents = engine.store.entries(collection.range, 100_000);
  for (const index of collection.indexes) {
    const range = { start: index.prefix, end: afterPrefix(index.prefix) };
    for (const { key, value } of engine.store.entries(range, 100_000)) {
      const recordId = index.stored.unique ? recordOfValue(value) : recordOfKey(key);
      stored.push(`${index.stored.name}:${key.toString('hex')}:${recordId}`);
    }
    for (const { key, value } of documents) {
      const recordId = recordOfKey(key);
      for (const entry of index.entriesOf(asValue(value), recordId, () => undefined)) {
        derived.push(`${index.stored.name}:${entry.toString('hex')}:${recordId}`);
      }
    }
  }
  return { stored: stored.sort(), derived: derived.sort() };
};

const field = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.constantFrom('x', 'y', 'long'.repeat(600), null),
  fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 3 }),
  fc.constantFrom(Long.MAX_VALUE, Long.ONE),
);
const content = fc.record({ a: field, b: field, c: fc.record({ d: field }), u: field }, { requiredKeys: [] });
const id = fc.integer({ min: 0, max: 9 });
const command = fc.oneof(
  fc.array(fc.tuple(id, content), { minLength: 1, maxLength: 5 }).map((list): Document => ({
    insert: 'c',
    ordered: false,
    documents: list.map(([_id, rest]) => ({ _id, ...rest })),
  })),
  fc
    .tuple(id, content, fc.boolean())
    .map(([_id, u, upsert]): Document => ({ update: 'c', updates: [{ q: { _id }, u, upsert }] })),
  fc.tuple(field, field).map(([a, b]): Document => ({
    update: 'c',
    updates: [{ q: { a }, u: { $set: { b, 'c.d': a } }, multi: true }],
  })),
  fc.tuple(id).map(([_id]): Document => ({ delete: 'c', deletes: [{ q: { _id }, limit: 1 }] })),
  fc.constantFrom<Document>(
    { createIndexes: 'c', indexes: [{ key: { a: 1, b: -1 }, name: 'ab' }] },
    { createIndexes: 'c', indexes: [{ key: { 'c.d': 1 }, name: 'cd', sparse: true }] },
    { createIndexes: 'c', indexes: [{ key: { u: 1 }, name: 'u', unique: true, sparse: true }] },
    {
      createIndexes: 'c',
      indexes: [{ key: { b: 1 }, name: 'part', partialFilterExpression: { a: { $gte: 1 } } }],
    },
    { dropIndexes: 'c', index: 'ab' },
  ),
);

describe('indexes', () => {
  it('hold exactly the keys of the documents, whatever was written', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'embedded-mongodb-'));
    const engine = await Engine.open(dataDir);
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 25, size: 'max' }), async (commands) => {
        await run(engine, { drop: 'c' });
        for (const each of commands) await run(engine, each);
        const collection = engine.catalog.find('test.c');
        if (!collection) return;
        const { stored, derived } = entriesOf(engine, collection);
        expect(stored).toEqual(derived);
        expect(collection.count).toBe(engine.store.count(collection.range));
      }),
      { numRuns: 60 },
    );
    await engine.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('are filled while others write', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'embedded-mongodb-'));
    const engine = await Engine.open(dataDir);
    const documents = Array.from({ length: 2_000 }, (_, _id) => ({ _id, a: _id % 7 }));
    await run(engine, { insert: 'c', documents });
    const building = run(engine, { createIndexes: 'c', indexes: [{ key: { a: 1 }, name: 'a' }] });
    for (let i = 0; i < 200; i += 1) {
      await run(engine, { update: 'c', updates: [{ q: { _id: i * 9 }, u: { $inc: { a: 100 } } }] });
      await run(engine, { delete: 'c', deletes: [{ q: { _id: i * 9 + 1 }, limit: 1 }] });
    }
    expect(await building).toMatchObject({ ok: 1, numIndexesAfter: 2 });
    const { stored, derived } = entriesOf(engine, engine.catalog.find('test.c')!);
    expect(stored).toEqual(derived);
    await engine.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
});

describe('a machine that goes down', () => {
  it('leaves the last checkpoint and all that was journaled', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'embedded-mongodb-'));
    const crashed = mkdtempSync(join(tmpdir(), 'embedded-mongodb-'));
    const engine = await Engine.open(dataDir);
    await run(engine, {
      createIndexes: 'c',
      indexes: [{ key: { a: 1 }, name: 'a' }],
      writeConcern: { j: true },
    });
    await run(engine, {
      insert: 'c',
      documents: [
        { _id: 'old', a: 1 },
        { _id: 'gone', a: 2 },
      ],
    });
    await engine.store.checkpoint();
    const writeConcern = { w: 1, j: true };
    await run(engine, { insert: 'c', documents: [{ _id: 'lost', a: 3 }] });
    await run(engine, { insert: 'c', documents: [{ _id: 'kept', a: 4 }], writeConcern });
    await run(engine, { update: 'c', updates: [{ q: { _id: 'old' }, u: { $set: { a: 5 } } }], writeConcern });
    await run(engine, { delete: 'c', deletes: [{ q: { _id: 'gone' }, limit: 1 }], writeConcern });
    await run(engine, {
      findAndModify: 'd',
      query: { _id: 'n' },
      update: { $set: { x: 1 } },
      upsert: true,
      writeConcern,
    });
    cpSync(dataDir, crashed, { recursive: true });
    await engine.close();
    // The file is torn, the journal has a torn tail, and the mark names another boot.
    writeFileSync(join(crashed, 'store.mdb'), Buffer.alloc(100_000, 0xab));
    const journal = readdirSync(crashed).find((name) => name.startsWith('store.journal'))!;
    writeFileSync(join(crashed, journal), Buffer.from([9, 0, 0, 0, 1, 2]), { flag: 'a' });
    truncateSync(join(crashed, 'store.mdb'), statSync(join(crashed, 'store.mdb')).size - 10);
    writeFileSync(join(crashed, 'store.running'), JSON.stringify({ id: 'another', bootedAtSeconds: 1 }));

    for (let restart = 0; restart < 2; restart += 1) {
      const again = await Engine.open(crashed);
      const { cursor } = await run(again, { find: 'c', filter: {}, sort: { _id: 1 } });
      expect(cursor.firstBatch).toEqual([
        { _id: 'kept', a: 4 },
        { _id: 'old', a: 5 },
      ]);
      expect((await run(again, { find: 'd', filter: {} }))['cursor'].firstBatch).toEqual([
        { _id: 'n', x: 1 },
      ]);
      const { stored, derived } = entriesOf(again, again.catalog.find('test.c')!);
      expect(stored).toEqual(derived);
      await again.close();
    }
    rmSync(dataDir, { recursive: true, force: true });
    rmSync(crashed, { recursive: true, force: true });
  });
});
