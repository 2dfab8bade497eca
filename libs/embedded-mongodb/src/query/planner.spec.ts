import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Document } from 'bson';
import { Engine } from '../commands/engine';
import { run } from '../commands/run-command.fixture';

const COUNT = 6_000;
const LIMIT = 20;
/** What a page looks at: its entries and their documents, one more to see the end, and what is counted to choose an index. */
const LOOKED_AT_MAX = 3 * LIMIT;

const idOf = (n: number): string => String(n).padStart(6, '0');
const MIDDLE = idOf(COUNT / 2);

describe('a page of a long list, choosing its index included,', () => {
  let dataDir: string;
  let engine: Engine;
  let lookedAt = 0;

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'regulars-planner-'));
    engine = await Engine.open(dataDir);
    const indexes = [
      { key: { country: 1, _id: 1 }, name: 'country' },
      { key: { points: 1, _id: 1 }, name: 'points' },
    ];
    await run(engine, { createIndexes: 'c', indexes });
    const documents = Array.from({ length: COUNT }, (_, n) => ({
      _id: idOf(n),
      ...(n % 3 > 0 && { country: n % 3 === 1 ? 'AT' : 'DE' }),
      points: (n * 7) % COUNT,
    }));
    await run(engine, { insert: 'c', documents });

    const { store } = engine;
    const [keys, entries, get] = [store.keys.bind(store), store.entries.bind(store), store.get.bind(store)];
    store.keys = (...args) => counted(keys(...args));
    store.entries = (...args) => counted(entries(...args));
    store.get = (key) => {
      lookedAt += 1;
      return get(key);
    };
  });

  afterAll(async () => {
    await engine.close();
    rmSync(dataDir, { recursive: true });
  });

  const counted = <Entry>(found: Entry[]): Entry[] => {
    lookedAt += found.length;
    return found;
  };

  const page = async (
    filter: Document,
    sort: Document,
  ): Promise<{ ids: string[]; distinct: number; lookedAt: number }> => {
    lookedAt = 0;
    const answer = await run(engine, {
      find: 'c',
      filter: { $and: [{ gone: null }, filter] },
      sort,
      limit: LIMIT,
      batchSize: LIMIT + 1,
    });
    const ids = (answer['cursor'].firstBatch as { _id: string }[]).map(({ _id }) => _id);
    return { ids, distinct: new Set(ids).size, lookedAt };
  };

  it.each<[string, Document, 1 | -1]>([
    ['at the beginning', {}, 1],
    ['at the end', {}, -1],
    ['within a value that many share', { country: 'AT', _id: { $gt: MIDDLE } }, 1],
    ['within it, backwards', { country: 'AT', _id: { $lt: MIDDLE } }, -1],
    ['among those without a value', { country: null, _id: { $gt: MIDDLE } }, 1],
    ['among those, backwards', { country: null, _id: { $lt: MIDDLE } }, -1],
    ['behind a value', { country: { $gt: 'AT' } }, 1],
    ['before a value', { country: { $lt: 'DE' } }, -1],
  ])('costs what it shows %s', async (_, filter, direction) => {
    const { ids, distinct, lookedAt: cost } = await page(filter, { country: direction, _id: direction });
    expect([ids.length, distinct]).toEqual([LIMIT, LIMIT]);
    expect(cost).toBeLessThanOrEqual(LOOKED_AT_MAX);
  });

  it('is still read by a narrower index of another field, and sorted', async () => {
    const narrow = { points: { $gte: 10, $lt: 14 }, country: 'AT', _id: { $gt: '' } };
    const { ids, lookedAt: cost } = await page(narrow, { country: 1, _id: 1 });
    expect(ids.length).toBeGreaterThan(0);
    expect(cost).toBeLessThanOrEqual(6 * LIMIT);
  });
});
