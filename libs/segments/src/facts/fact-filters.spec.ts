import type { ContactEvent } from '@app/contacts';
import type { RecordedEvent } from '@app/kernel';
import {
  compileFilter,
  evaluate,
  foldHistory,
  HistoryFacts,
  parseRule,
  type ContactHistory,
  type Rule,
  type RuleFields,
} from '@app/rules';
import { anyLeafRule, anyRule, anyWindow, contactLogs } from '@app/testing';
import fc from 'fast-check';
import { Query } from 'mingo';
import { foldContact } from '../engine/contact-fold';
import { DefinitionsLog } from '../engine/definition-changes';
import { factRuleFields, lastingRuleFields } from './fact-filters';

type Recorded = RecordedEvent<ContactEvent>;

const DAY_MS = 86_400_000;

const storedOf = (events: readonly Recorded[]): object => {
  const surroundings = {
    buckets: new Map(),
    endedStays: () => [],
    log: new DefinitionsLog(),
    filledAt: -1n,
  };
  const { contact } = foldContact(null, events, surroundings);
  return JSON.parse(JSON.stringify(contact?.contact)) as object;
};

const historyOf = (events: readonly Recorded[]): HistoryFacts =>
  new HistoryFacts(events.reduce<ContactHistory | null>(foldHistory, null) as ContactHistory);

/** The last instant that anything of it is dated with. */
const endOf = (events: readonly Recorded[]): number =>
  Math.max(...events.flatMap(({ meta, data }) => [Date.parse(meta.recordedAt), Date.parse(data.occurredAt)]));

const finds = (rule: Rule, fields: RuleFields, now: Date, document: object): boolean =>
  new Query(compileFilter(rule, fields, now).filter as never).test(document as never);

const log = contactLogs({ contactsMax: 1, stepsMax: 14 });
/** After the last event, in days. */
const later = fc.oneof(
  fc.double({ min: 0, max: 2, noNaN: true }),
  fc.double({ min: 0, max: 40, noNaN: true }),
  fc.double({ min: 0, max: 500, noNaN: true }),
);
const anythingWithin = fc
  .tuple(
    fc.constantFrom('PurchaseRecorded', 'CheckedIn', 'MessageSent', 'RewardRedeemed', 'PointsCredited'),
    fc.oneof(
      { weight: 4, arbitrary: anyWindow },
      fc.constantFrom({ to: '2024-01-08' }, { to: '2024-03-01' }),
    ),
  )
  .map(([event, window]) => ({ event, count: { op: 'gte', value: 1 }, window }));

describe('a filter on the directory of facts', () => {
  for (const [name, rules] of [
    ['a window', anythingWithin],
    ['a leaf', anyLeafRule],
    ['a rule', anyRule],
  ] as const) {
    it(`finds whom ${name} is true of, now and at any later time without an event`, () => {
      let found = 0;
      let leftOut = 0;
      fc.assert(
        fc.property(rules, log, later, later, (input, events, first, second) => {
          const rule = parseRule(input);
          const document = storedOf(events);
          const history = historyOf(events);
          const now = new Date(endOf(events) + Math.floor(first * DAY_MS));
          const then = new Date(now.getTime() + Math.floor(second * DAY_MS));
          if (!finds(rule, lastingRuleFields, now, document)) leftOut += 1;
          if (evaluate(rule, history, now).truth === 'true') {
            found += 1;
            expect(finds(rule, factRuleFields, now, document)).toBe(true);
            expect(finds(rule, lastingRuleFields, now, document)).toBe(true);
          }
          if (evaluate(rule, history, then).truth === 'true')
            expect(finds(rule, lastingRuleFields, now, document)).toBe(true);
        }),
        { numRuns: 2_000 },
      );
      // Neither everybody nor nobody: else nothing was shown.
      expect(found).toBeGreaterThan(50);
      expect(leftOut).toBeGreaterThan(50);
    });
  }

  it('leaves out who has nothing in the months of a window', () => {
    const rule = parseRule({
      metric: 'purchases.spend',
      currency: 'EUR',
      op: 'gte',
      value: 1,
      window: { from: '2023-12-05', to: '2024-01-20' },
    });
    const { filter } = compileFilter(rule, factRuleFields, new Date('2026-01-01T00:00:00Z'));
    const names = { $in: ['PurchaseRecorded', 'PurchaseReturned'] };
    expect(filter).toEqual({ $or: [{ 'facts.months.2023-12': names }, { 'facts.months.2024-01': names }] });
  });
});
