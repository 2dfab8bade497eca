import type { ContactEvent } from '@app/contacts';
import { contactsProjection } from '@app/contacts';
import type { RecordedEvent } from '@app/kernel';
import { MongoReadStore, openReadDatabase, type ReadDatabase } from '@app/read-store';
import {
  foldHistory,
  HistoryFacts,
  parseRule,
  rankingFigure,
  type ContactHistory,
  type Rule,
} from '@app/rules';
import { contactLogs, recorded, type TestMongo } from '@app/testing';
import fc from 'fast-check';
import { DefinitionsLog } from '../engine/definition-changes';
import { foldContact } from '../engine/contact-fold';
import { FACT_BUCKETS, FactBuckets } from '../read-models/mongo.fact-buckets';
import { ContactRanking, type Ranking } from './mongo.contact-ranking';

/** Behind everything that is dated in the histories. */
const NOW = new Date('2024-03-20T00:00:00.000Z');

const anyFigure = fc.constantFrom<object>(
  { by: 'points.balance' },
  { by: 'points.balance', pool: 'vip' },
  { by: 'points.balance', pool: 'nobodys' },
  { by: 'points.earned' },
  { by: 'points.spent', window: { last: 'P90D' } },
  { by: 'purchases.count' },
  { by: 'purchases.spend', currency: 'EUR', window: { ever: true } },
  { by: 'purchases.spend', currency: 'USD', window: { from: '2024-01-02', to: '2024-01-20' } },
  { by: 'purchases.average', currency: 'EUR' },
  { by: 'purchases.shareAt', locationId: 'l1' },
  { by: 'checkIns.count' },
  { by: 'redemptions.count' },
  { by: 'messages.count', window: { period: 'month', offset: -2 } },
);
const anyRank = fc.oneof(
  fc.record({ top: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ topPercent: fc.integer({ min: 1, max: 100 }) }),
);
const anyRanking = fc
  .tuple(anyFigure, anyRank)
  .map(([figure, rank]) => parseRule({ ranked: { ...figure, ...rank } }));

/** With one contact who objects to profiling. */
const anyLog = contactLogs({ contactsMax: 12, stepsMax: 8 }).map((log) => {
  const { data, meta } = log.at(-1) as (typeof log)[number];
  const objected: ContactEvent = {
    type: 'contacts.ProfilingObjected.v1',
    data: { contactId: data.contactId, occurredAt: meta.recordedAt },
  };
  return [...log, recorded(objected, { ...meta, position: meta.position + 1n })];
});

/** Contacts in a row, and whom that lets in. */
const byHand = (rule: Rule, log: readonly RecordedEvent<ContactEvent>[]): Ranking => {
  const histories = new Map<string, ContactHistory>();
  const apart = new Set<string>();
  for (const event of log) {
    const { contactId } = event.data;
    const history = foldHistory(histories.get(contactId) ?? null, event);
    if (history !== null) histories.set(contactId, history);
    if (event.type === 'contacts.ProfilingObjected.v1') apart.add(contactId);
    if (event.type === 'contacts.ObjectionLifted.v1') apart.delete(contactId);
    if (event.type === 'contacts.ErasureStarted.v1') histories.delete(contactId);
  }
  const ranked = [...histories.values()].filter(({ contactId }) => !apart.has(contactId));
  const figures = ranked
    .map((history) => rankingFigure(rule, new HistoryFacts(history), NOW))
    .filter((figure) => figure !== null)
    .sort((one, other) => other - one);
  if (!('ranked' in rule.root)) throw new Error('It is ranked.');
  const { ranked: ranking } = rule.root;
  const rank = 'top' in ranking ? ranking.top : Math.ceil((ranked.length * ranking.topPercent) / 100);
  const cutOff = figures[Math.min(rank, figures.length) - 1] ?? null;
  return { cutOff, membersCount: cutOff === null ? 0 : figures.filter((figure) => figure >= cutOff).length };
};

/** Rankings on one document store, against contacts put in a row by hand. */
export const contactRankingSuite = (name: string, start: () => Promise<TestMongo>): void => {
  describe(`rankings on ${name}`, () => {
    let server: TestMongo;
    let database: ReadDatabase;

    beforeAll(async () => {
      server = await start();
      database = await openReadDatabase(server);
      const store = new MongoReadStore(database.db);
      await store.open('spec', { projections: [contactsProjection], journals: [] });
    });

    afterAll(async () => {
      await database?.close();
      await server?.close();
    });

    const fill = async (log: readonly RecordedEvent<ContactEvent>[]): Promise<void> => {
      const [contacts, buckets] = [
        database.db.collection<{ _id: string }>('contacts_v3'),
        database.db.collection<{ _id: string }>(FACT_BUCKETS),
      ];
      await contacts.deleteMany({});
      await buckets.deleteMany({});
      const none = { buckets: new Map(), endedStays: () => [], log: new DefinitionsLog(), filledAt: -1n };
      for (const contactId of new Set(log.map(({ data }) => data.contactId))) {
        const own = log.filter(({ data }) => data.contactId === contactId);
        const fold = foldContact(null, own, none);
        if (fold.contact === null) continue;
        const { contact, position } = fold.contact;
        await contacts.insertOne({ _id: contactId, _position: position, ...contact } as { _id: string });
        for (const [_id, { position: of, ...bucket }] of fold.buckets) {
          await buckets.insertOne({ _id, _position: of, ...bucket } as { _id: string });
        }
      }
    };

    it('let in who is first, and all that are as good as the last of them', async () => {
      const ranking = new ContactRanking(database.db, new FactBuckets(database.db), { batchSize: 5 });
      await fc.assert(
        fc.asyncProperty(
          anyLog,
          fc.array(anyRanking, { minLength: 12, maxLength: 12 }),
          async (log, rules) => {
            await fill(log);
            for (const rule of rules) {
              expect([rule.root, await ranking.rank(rule, NOW)]).toEqual([rule.root, byHand(rule, log)]);
            }
          },
        ),
        { numRuns: 12 },
      );
    });

    it('let nobody in where there is nobody', async () => {
      await fill([]);
      const ranking = new ContactRanking(database.db, new FactBuckets(database.db), { batchSize: 5 });
      for (const by of ['points.balance', 'points.earned']) {
        const rule = parseRule({ ranked: { by, top: 3 } });
        expect(await ranking.rank(rule, NOW)).toEqual({ cutOff: null, membersCount: 0 });
      }
    });
  });
};
