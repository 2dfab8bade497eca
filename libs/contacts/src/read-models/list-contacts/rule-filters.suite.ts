import type { RecordedEvent } from '@app/kernel';
import { foldBatch, MongoReadStore, type Change } from '@app/read-store';
import {
  compileFilter,
  evaluate,
  foldHistory,
  HistoryFacts,
  parseRule,
  type ContactHistory,
  type Membership,
} from '@app/rules';
import { anyLeafRule, anyRule, anyStandingRule, contactLogs } from '@app/testing';
import fc from 'fast-check';
import type { Db } from 'mongodb';
import type { ContactEvent } from '../../domain/contact.events';
import { contactRuleFields } from '../contacts/contact-columns';
import type { ContactDocument } from '../contacts/contact.document';
import { contactsProjection } from '../contacts/contacts.projection';

const HOUR_MS = 3_600_000;

/** What a filter finds in the store against what the rule says of each contact's whole history. */
export const ruleFiltersSuite = (db: () => Db): void => {
  describe('a rule as a filter', () => {
    let store: MongoReadStore;

    beforeAll(async () => {
      store = new MongoReadStore(db());
      await store.open('rule-filters', { projections: [contactsProjection], journals: [] });
    });

    const fill = async (log: readonly RecordedEvent<ContactEvent>[]): Promise<Map<string, HistoryFacts>> => {
      await db().collection('contacts_v3').deleteMany({});
      const changes = foldBatch(contactsProjection, log, new Map()) as Change<ContactDocument>[];
      if (changes.length > 0) await store.save(contactsProjection, changes);
      const histories = new Map<string, ContactHistory>();
      for (const event of log) {
        const history = foldHistory(histories.get(event.data.contactId) ?? null, event);
        if (history !== null) histories.set(event.data.contactId, history);
      }
      // Every other contact is in the first segment, and every third in the second.
      const staysOf = (contactId: string): Record<string, Membership[]> => {
        const n = Number(contactId.slice(0, 8));
        const stay = [{ from: 0, to: null }];
        return { ...(n % 2 === 0 && { s1: stay }), ...(n % 3 === 0 && { s2: stay }) };
      };
      for (const contactId of histories.keys()) {
        const segments = Object.keys(staysOf(contactId));
        await db()
          .collection<{ _id: string }>('contacts_v3')
          .updateOne({ _id: contactId }, { $set: { segments } });
      }
      // Of who is erased, the store keeps figures only; lists leave them out.
      const living = changes.filter(({ doc }) => doc !== null && doc.erasure === undefined);
      return new Map(
        living.flatMap(({ doc }) => {
          const history = doc === null ? undefined : histories.get(doc.contactId);
          return history === undefined
            ? []
            : [[history.contactId, new HistoryFacts(history, staysOf(history.contactId))] as const];
        }),
      );
    };

    const agrees = async (rules: fc.Arbitrary<object>): Promise<void> => {
      await fc.assert(
        fc.asyncProperty(
          contactLogs({ contactsMax: 20, stepsMax: 8 }),
          fc.array(fc.tuple(rules, fc.constantFrom(0, 1, 25, 24 * 7, 24 * 31, 24 * 400)), {
            minLength: 12,
            maxLength: 12,
          }),
          async (log, questions) => {
            const contacts = await fill(log);
            const latest = Math.max(
              ...log.map(({ data }) => Date.parse(data.occurredAt)),
              Date.parse('2024-03-01'),
            );
            for (const [input, hours] of questions) {
              const rule = parseRule(input);
              const now = new Date(latest + hours * HOUR_MS);
              const { filter, rest } = compileFilter(rule, contactRuleFields, now);
              const found = await db()
                .collection<{ contactId: string }>('contacts_v3')
                .find({ $and: [filter, { erasure: null }] }, { projection: { contactId: 1 } })
                .toArray();
              const matches = found
                .map(({ contactId }) => contacts.get(contactId))
                .filter(
                  (facts) =>
                    facts !== undefined && (rest === null || evaluate(rest, facts, now).truth === 'true'),
                )
                .map((facts) => facts?.contactId);
              const expected = [...contacts.values()]
                .filter((facts) => evaluate(rule, facts, now).truth === 'true')
                .map(({ contactId }) => contactId);
              expect([input, matches.sort()]).toEqual([input, expected.sort()]);
            }
          },
        ),
        { numRuns: 10 },
      );
    };

    it.each<object>([
      { consent: 'marketing.email', op: 'granted' },
      { not: { consent: 'marketing.email', op: 'isUnset' } },
      { reachable: 'push' },
      {
        any: [
          { segment: 's1', op: 'in' },
          { segment: 's2', op: 'notIn' },
        ],
      },
      { attr: 'profile.customFields.size', op: 'lt', value: 42 },
      { attr: 'profile.customFields.likes', op: 'hasNone', value: ['tea'] },
      { attr: 'profile.customFields.likes', op: 'startsWith', value: 'te' },
    ])('leaves nothing to ask in memory: %j', (root) => {
      expect(compileFilter(parseRule(root), contactRuleFields, new Date()).rest).toBeNull();
    });
    it('finds whom the evaluator finds, by what documents hold', () => agrees(anyStandingRule), 60_000);
    it('finds whom the evaluator finds, leaf by leaf', () => agrees(anyLeafRule), 60_000);
    it('finds whom the evaluator finds, with the rest in memory', () => agrees(anyRule), 60_000);
  });
};
