import { contactEventDefinitions } from '@app/contacts';
import { anyRule, contactLogs, facts, recordedHistory } from '@app/testing';
import fc from 'fast-check';
import { ACTIVITIES, factName, foldHistory, POINT_MOVES, type ContactHistory } from './contact-history';
import { dependenciesOf, EVERY_RULE, touchedBy } from './dependencies';
import { evaluate } from './evaluate';
import { HistoryFacts } from './history.facts';
import { parseRule } from './parse-rule';

type Log = ReturnType<typeof recordedHistory>;

const fold = (log: Log): HistoryFacts => {
  const history = log.reduce<ContactHistory | null>(foldHistory, null);
  if (history === null) throw new Error('Nobody was registered.');
  return new HistoryFacts(history);
};

const ever = { after: -Infinity, upTo: Infinity };

it('names only events that there are', () => {
  const names = contactEventDefinitions.map(({ type }) => factName(type));
  for (const name of [...ACTIVITIES, ...Object.keys(POINT_MOVES)]) expect(names).toContain(name);
});

it('knows what the events said, and which did', () => {
  const log = recordedHistory([
    facts.registered({
      profile: { firstName: 'Anna', tags: ['vip'], address: { city: 'Wien', country: 'AT' } },
    }),
    facts.credited('k1', 10, { expiresAt: '2026-05-01T00:00:00.000Z' }),
    facts.debited('d1', { k1: 4 }),
  ]);
  const known = fold(log);
  expect(known.attribute('profile.firstName')).toEqual({ value: 'Anna', eventId: log[0]?.meta.eventId });
  expect(known.attribute('profile.address.city')?.value).toBe('Wien');
  expect(known.attribute('tags')?.value).toEqual(['vip']);
  expect(known.lots('main')).toEqual([{ points: 6, expiresAt: Date.parse('2026-05-01') }]);
  expect(known.tally({ points: 'balance', pool: 'main' }, ever)).toEqual({ count: 2, sum: 6 });
  expect(known.list({ event: 'PointsCredited' }, ever, { order: 'newest', limit: 5 })[0]?.fields).toEqual({
    pool: 'main',
    points: 10,
    reason: 'gift',
  });
});

it('merges a patch of the profile as RFC 7396 says', () => {
  const change = (changed: string[], profile: object) => ({
    type: 'contacts.ContactDetailsChanged.v1' as const,
    data: { contactId: 'c', occurredAt: '2026-03-02T00:00:00.000Z', changed, profile },
  });
  const start = facts.registered({
    profile: { firstName: 'A', address: { city: 'Wien', country: 'AT' }, customFields: { a: 1, b: 'x' } },
  });
  const patched = fold(
    recordedHistory([
      start,
      change(['firstName'], { firstName: null }),
      change(['address.city'], { address: { city: null } }),
      change(['customFields.b'], { customFields: { b: 'y' } }),
    ]),
  );
  expect(patched.attribute('profile.firstName')).toBeUndefined();
  expect(patched.attribute('profile.address.city')).toBeUndefined();
  expect(patched.attribute('profile.address.country')?.value).toBe('AT');
  expect(patched.attribute('profile.customFields.a')?.value).toBe(1);
  expect(patched.attribute('profile.customFields.b')?.value).toBe('y');
  const removed = fold(recordedHistory([start, change(['address'], { address: null })]));
  expect(removed.attribute('profile.address.country')).toBeUndefined();
});

it('is never thrown off by what it does not know, and stays JSON', () => {
  fc.assert(
    fc.property(contactLogs({ contactsMax: 3, stepsMax: 12 }), (log) => {
      const histories = new Map<string, ContactHistory | null>();
      for (const event of log) {
        const { contactId } = event.data;
        histories.set(contactId, foldHistory(histories.get(contactId) ?? null, event));
      }
      for (const history of histories.values()) expect(JSON.parse(JSON.stringify(history))).toEqual(history);
    }),
    { numRuns: 50 },
  );
  const [first] = recordedHistory([facts.registered()]);
  const history = foldHistory(null, first as never);
  expect(foldHistory(history, { ...first, type: 'rewards.RewardCreated.v1' } as never)).toBe(history);
  expect(foldHistory(null, { ...first, type: 'contacts.CheckedIn.v1' } as never)).toBeNull();
});

it('answers as before after an event that touches nothing a rule depends on', () => {
  fc.assert(
    fc.property(
      contactLogs({ contactsMax: 1, stepsMax: 12 }),
      fc.array(anyRule, { minLength: 10, maxLength: 10 }),
      (log, inputs) => {
        const rules = inputs
          .map((input) => parseRule(input))
          .map((rule) => ({ rule, ...dependenciesOf(rule) }));
        const now = new Date(Math.max(...log.map(({ data }) => Date.parse(data.occurredAt))));
        let history: ContactHistory | null = null;
        for (const event of log) {
          const before: ContactHistory | null = history;
          history = foldHistory(history, event);
          const touched = new Set(touchedBy(event));
          if (touched.has(EVERY_RULE) || before === null || history === null) continue;
          for (const { rule, keys } of rules) {
            if (keys.some((key) => touched.has(key))) continue;
            const [one, other] = [before, history].map((known) =>
              evaluate(rule, new HistoryFacts(known), now),
            );
            expect([rule.root, event.type, other]).toEqual([rule.root, event.type, one]);
          }
        }
      },
    ),
    { numRuns: 80 },
  );
});

describe('dependencies', () => {
  const of = (root: object) => dependenciesOf(parseRule(root));

  it('name what a rule looks at', () => {
    expect(of({ attr: 'age', op: 'gt', value: 3 })).toMatchObject({
      attributes: ['profile.birthday'],
      keys: ['attr:profile.birthday'],
      clock: true,
    });
    expect(of({ attr: 'profile.address.city', op: 'eq', value: 'x' }).keys).toEqual([
      'attr:profile.address',
      'attr:profile.address.city',
    ]);
    expect(of({ metric: 'purchases.spend', currency: 'EUR', op: 'gt', value: 3 })).toMatchObject({
      keys: ['event:PurchaseRecorded', 'event:PurchaseReturned'],
      clock: false,
    });
    expect(of({ all: [{ segment: 'b', op: 'in' }, { not: { segment: 'a', op: 'in' } }] })).toMatchObject({
      segments: ['a', 'b'],
      clock: false,
    });
    expect(of({ event: 'CheckedIn', window: { last: 'P1D' } })).toMatchObject({
      clock: true,
      series: [{ series: { event: 'CheckedIn' }, window: { last: 'P1D' } }],
    });
    expect(of({ ranked: { by: 'points.balance', top: 3 } })).toMatchObject({
      keys: ['points:main'],
      clock: true,
    });
    expect(of({ everyone: true })).toEqual({
      keys: [],
      attributes: [],
      segments: [],
      clock: false,
      series: [],
    });
  });

  it('say of the clock what evaluations say', () => {
    fc.assert(
      fc.property(contactLogs({ contactsMax: 1, stepsMax: 8 }), anyRule, (log, input) => {
        const rule = parseRule(input);
        const history = log.reduce<ContactHistory | null>(foldHistory, null);
        const now = new Date(Math.max(...log.map(({ data }) => Date.parse(data.occurredAt))));
        if (history === null || dependenciesOf(rule).clock) return;
        expect(evaluate(rule, new HistoryFacts(history), now).nextChangeAt).toBeNull();
      }),
      { numRuns: 300 },
    );
  });
});
