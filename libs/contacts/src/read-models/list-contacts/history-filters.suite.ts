import { CursorCodec } from '@app/http';
import type { RecordedEvent } from '@app/kernel';
import { foldBatch, MongoReadStore, ReadGate, type Change } from '@app/read-store';
import { evaluate, foldHistory, HistoryFacts, parseRule, type ContactHistory, type Rule } from '@app/rules';
import { anyRule, contactLogs, FixedClock } from '@app/testing';
import fc from 'fast-check';
import type { Db } from 'mongodb';
import type { ContactEvent } from '../../domain/contact.events';
import type { ContactDocument } from '../contacts/contact.document';
import { contactsProjection } from '../contacts/contacts.projection';
import { ContactReads } from '../contacts/mongo.contact-reads';
import { ContactSearch } from './contact-search';
import { ListContactsHandler } from './list-contacts.handler';
import { ListContactsQuery } from './list-contacts.query';
import { RuleMatcher } from './rule-matcher.port';

const NOW = '2024-04-01T00:00:00.000Z';

/** Asks the whole history of each contact, and knows one segment. */
export class HistoryMatcher extends RuleMatcher {
  private readonly histories = new Map<string, ContactHistory>();

  constructor(log: readonly RecordedEvent<ContactEvent>[] = []) {
    super();
    for (const event of log) {
      const history = foldHistory(this.histories.get(event.data.contactId) ?? null, event);
      if (history !== null) this.histories.set(event.data.contactId, history);
    }
  }

  async matching(rule: Rule, contactIds: readonly string[], now: Date): Promise<ReadonlySet<string>> {
    expect(contactIds.length).toBeLessThanOrEqual(500);
    const matches = contactIds.filter((id) => {
      const history = this.histories.get(id);
      return history !== undefined && evaluate(rule, new HistoryFacts(history), now).truth === 'true';
    });
    return new Set(matches);
  }

  async knowsSegment(segmentId: string): Promise<boolean> {
    return segmentId === 's1';
  }
}

/** Lists by what only histories tell. */
export const historyFiltersSuite = (db: () => Db): void => {
  describe('a filter that needs history', () => {
    let store: MongoReadStore;

    beforeAll(async () => {
      store = new MongoReadStore(db());
      await store.open('history-filters', { projections: [contactsProjection], journals: [] });
    });

    const fill = async (log: readonly RecordedEvent<ContactEvent>[]): Promise<ContactDocument[]> => {
      await db().collection('contacts_v3').deleteMany({});
      const changes = foldBatch(contactsProjection, log, new Map()) as Change<ContactDocument>[];
      if (changes.length > 0) await store.save(contactsProjection, changes);
      return changes.flatMap(({ doc }) => (doc === null ? [] : [doc]));
    };
    const handler = (matcher: RuleMatcher): ListContactsHandler => {
      const contacts = new ContactReads(db());
      return new ListContactsHandler(
        contacts,
        new ContactSearch(contacts, matcher, new FixedClock(NOW)),
        new ReadGate({ positions: async () => new Map([['contacts_v3', 7n]]) }, [contactsProjection]),
        new CursorCodec({ derive: () => Buffer.alloc(32, 1) }),
      );
    };

    it('shows whom the evaluator finds, each once and in order', async () => {
      await fc.assert(
        fc.asyncProperty(
          contactLogs({ contactsMax: 20, stepsMax: 6 }),
          fc.array(fc.tuple(anyRule, fc.integer({ min: 1, max: 5 }), fc.constantFrom('', '-')), {
            minLength: 6,
            maxLength: 6,
          }),
          async (log, questions) => {
            const docs = await fill(log);
            const matcher = new HistoryMatcher(log);
            const list = handler(matcher);
            for (const [filter, limit, down] of questions) {
              const living = docs.filter(({ erasure }) => erasure === undefined);
              const ids = living.map(({ contactId }) => contactId);
              const expected = await matcher.matching(parseRule(filter), ids, new Date(NOW));
              const found: string[] = [];
              const asked = { reader: 'operator', filter, sort: `${down}registeredAt`, limit } as const;
              for (let cursor: string | undefined; ;) {
                const page = await list.execute(new ListContactsQuery({ ...asked, cursor, count: true }));
                expect(page.total).toBe(expected.size);
                found.push(...page.items.map(({ contactId }) => contactId));
                if (page.nextCursor === null) break;
                expect(page.items).toHaveLength(limit);
                cursor = page.nextCursor;
              }
              const registered = new Map(living.map((doc) => [doc.contactId, doc.registeredAt]));
              const keyOf = (id: string): string => `${registered.get(id) ?? ''} ${id}`;
              const inOrder = [...expected].sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
              expect(found).toEqual(down === '-' ? inOrder.reverse() : inOrder);
            }
          },
        ),
        { numRuns: 6 },
      );
    }, 60_000);

    it('knows the segments there are, and shows who is in one', async () => {
      const [log = []] = fc.sample(contactLogs({ contactsMax: 25, stepsMax: 2 }), { seed: 3, numRuns: 1 });
      const [first] = await fill(log);
      const contacts = db().collection<{ _id: string }>('contacts_v3');
      const id = first?.contactId as string;
      await contacts.updateOne({ _id: id }, { $set: { segments: ['s1', 's3'] } });
      const list = handler(new HistoryMatcher(log));
      const answer = await list.execute(
        new ListContactsQuery({ reader: 'operator', segment: 's1', limit: 5 }),
      );
      expect(answer.items.map(({ contactId, segments }) => [contactId, segments])).toEqual([
        [id, ['s1', 's3']],
      ]);
      await expect(
        list.execute(new ListContactsQuery({ reader: 'operator', segment: 's9', limit: 5 })),
      ).rejects.toMatchObject({ code: 'contacts.unknown-segment', pointer: '/segment' });
    });

    it('refuses a ranking, which is no property of a contact', async () => {
      const filter = { ranked: { by: 'points.balance', pool: 'main', top: 5 } };
      await expect(
        handler(new HistoryMatcher()).execute(
          new ListContactsQuery({ reader: 'operator', filter, limit: 5 }),
        ),
      ).rejects.toMatchObject({ code: 'contacts.filter-ranked' });
    });
  });
};
