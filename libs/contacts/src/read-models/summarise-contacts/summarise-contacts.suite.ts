import type { DomainEvent, RecordedEvent } from '@app/kernel';
import { foldBatch, MongoReadStore, ReadGate, type Change } from '@app/read-store';
import { ageOn, parseRule } from '@app/rules';
import { contactLogs, FixedClock } from '@app/testing';
import fc from 'fast-check';
import type { Db } from 'mongodb';
import type { ContactEvent } from '../../domain/contact.events';
import type { ContactDocument } from '../contacts/contact.document';
import { ContactSearch } from '../list-contacts/contact-search';
import { HistoryMatcher } from '../list-contacts/history-filters.suite';
import { contactsProjection } from '../contacts/contacts.projection';
import { ContactReads } from '../contacts/mongo.contact-reads';
import { SummariseContactsHandler } from './summarise-contacts.handler';
import { SummariseContactsQuery } from './summarise-contacts.query';

const NOW = '2024-02-01T00:00:00.000Z';

/** The summary against a count by hand. */
export const summariseContactsSuite = (db: () => Db): void => {
  describe('the summary of contacts', () => {
    let store: MongoReadStore;
    let position = 0n;

    beforeAll(async () => {
      store = new MongoReadStore(db());
      await store.open('spec', { projections: [contactsProjection], journals: [] });
    });

    const fill = async (log: readonly RecordedEvent[]): Promise<ContactDocument[]> => {
      await db().collection('contacts_v3').deleteMany({});
      const changes = foldBatch(contactsProjection, log, new Map()) as Change<ContactDocument>[];
      if (changes.length > 0) await store.save(contactsProjection, changes);
      return changes.flatMap(({ doc }) => (doc === null ? [] : [doc]));
    };
    const handler = (matcher = new HistoryMatcher()): SummariseContactsHandler => {
      const contacts = new ContactReads(db());
      return new SummariseContactsHandler(
        contacts,
        new ContactSearch(contacts, matcher, new FixedClock(NOW)),
        new ReadGate({ positions: async () => new Map([['contacts_v3', position]]) }, [contactsProjection]),
        new FixedClock(NOW),
      );
    };

    it('counts what a count by hand counts, with and without a filter', async () => {
      await fc.assert(
        fc.asyncProperty(contactLogs({ contactsMax: 20, stepsMax: 10 }), async (log) => {
          const docs = await fill(log as readonly RecordedEvent<DomainEvent>[]);
          const answer = await handler().execute(new SummariseContactsQuery({ reader: 'operator' }));
          expect(answer).toEqual({ ...countedByHand(docs), asOfPosition: position.toString() });
          const filter = { attr: 'profile.gender', op: 'eq', value: 'female' };
          const some = await handler().execute(
            new SummariseContactsQuery({ reader: 'operator', filter, cities: 1 }),
          );
          const expected = countedByHand(docs.filter(({ profile }) => profile.gender === 'female'));
          expect(some).toEqual({
            ...expected,
            byCity: expected.byCity.slice(0, 1),
            asOfPosition: position.toString(),
          });
          const matcher = new HistoryMatcher(log as readonly RecordedEvent<ContactEvent>[]);
          const asked = { all: [filter, { event: 'CheckedIn', window: { last: 'P30D' } }] };
          const visited = await matcher.matching(
            parseRule(asked),
            docs.map(({ contactId }) => contactId),
            new Date(NOW),
          );
          expect(
            await handler(matcher).execute(new SummariseContactsQuery({ reader: 'operator', filter: asked })),
          ).toEqual({
            ...countedByHand(docs.filter(({ contactId }) => visited.has(contactId))),
            asOfPosition: position.toString(),
          });
        }),
        { numRuns: 10 },
      );
    }, 60_000);

    it('is made anew for whoever asks for a later position', async () => {
      const [log = []] = fc.sample(contactLogs({ contactsMax: 20, stepsMax: 5 }), { seed: 1, numRuns: 1 });
      const summaries = handler();
      position = 5n;
      const { total } = await summaries.execute(new SummariseContactsQuery({ reader: 'operator' }));
      const docs = await fill(log as readonly RecordedEvent<DomainEvent>[]);
      position = 9n;
      expect(await summaries.execute(new SummariseContactsQuery({ reader: 'operator' }))).toMatchObject({
        total,
        asOfPosition: '5',
      });
      expect(
        await summaries.execute(new SummariseContactsQuery({ reader: 'operator', minPosition: 9n })),
      ).toMatchObject({
        total: docs.length,
        asOfPosition: '9',
      });
      position = 0n;
    });
  });
};

const countedByHand = (docs: readonly ContactDocument[]) => {
  const counts = (keyOf: (doc: ContactDocument) => string | undefined): Record<string, number> => {
    const groups: Record<string, number> = {};
    for (const doc of docs) groups[keyOf(doc) ?? 'unknown'] = (groups[keyOf(doc) ?? 'unknown'] ?? 0) + 1;
    return groups;
  };
  const sums = (name: 'points' | 'spend'): Record<string, number> => {
    const groups: Record<string, number> = {};
    for (const doc of docs) {
      for (const [key, figure] of Object.entries(doc[name])) groups[key] = (groups[key] ?? 0) + figure;
    }
    return groups;
  };
  const since = (day: string): number =>
    docs.filter(({ lastActivityAt }) => lastActivityAt >= `${day}T00:00:00.000Z`).length;
  const { unknown: _, ...cities } = counts(({ profile }) => profile.address?.city);
  return {
    total: docs.length,
    byGender: counts(({ profile }) => profile.gender),
    byAgeBand: counts(({ profile }) => profile.birthday && bandOf(ageOn(profile.birthday, NOW.slice(0, 10)))),
    byLanguage: counts(({ profile }) => profile.language),
    byCountry: counts(({ profile }) => profile.address?.country),
    byCity: Object.entries(cities)
      .map(([city, count]) => ({ city, count }))
      .sort((one, other) => other.count - one.count || (one.city < other.city ? -1 : 1)),
    registrationsByMonth: Object.entries(counts(({ registeredAt }) => registeredAt.slice(0, 7))).map(
      ([month, count]) => ({
        month,
        count,
      }),
    ),
    active30d: since('2024-01-02'),
    active90d: since('2023-11-03'),
    points: sums('points'),
    spend: sums('spend'),
    purchases: docs.reduce((sum, { counts: { purchases } }) => sum + purchases, 0),
    checkIns: docs.reduce((sum, { counts: { checkIns } }) => sum + checkIns, 0),
  };
};

const bandOf = (age: number): string => {
  if (age >= 70) return '70+';
  if (age < 18) return '0-17';
  if (age < 30) return '18-29';
  const from = Math.floor(age / 10) * 10;
  return `${from}-${from + 9}`;
};
