import type { ContactEvent } from '@app/contacts';
import type { RecordedEvent } from '@app/kernel';
import { evaluate, explain, foldHistory, HistoryFacts, parseRule, type ContactHistory } from '@app/rules';
import {
  anyLeafRule,
  anyRule,
  CONTACT_ID,
  contactLogs,
  facts,
  recordedLog,
  RULE_DURATIONS,
} from '@app/testing';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { BucketedFacts, BucketNotLoadedError } from './bucketed.facts';
import { allBuckets, bucketsNeeded } from './buckets-needed';
import {
  bucketId,
  bucketsWritten,
  foldBucket,
  foldFacts,
  type FactsBucket,
  type FactsDocument,
} from './facts.document';

type Recorded = RecordedEvent<ContactEvent>;

/** As a store would keep it. */
const storedOf = (events: readonly Recorded[]) => {
  let doc: FactsDocument | null = null;
  const buckets = new Map<string, FactsBucket>();
  let writesMax = 0;
  for (const event of events) {
    const names = bucketsWritten(doc, event);
    doc = foldFacts(doc, event);
    for (const name of names) {
      const id = bucketId(event.data.contactId, name);
      buckets.set(id, foldBucket(buckets.get(id) ?? null, event.data.contactId, name, event));
    }
    writesMax = Math.max(writesMax, 1 + names.length);
  }
  if (doc === null) throw new Error('A contact was expected.');
  const stored = JSON.parse(JSON.stringify({ doc, buckets: [...buckets.values()] })) as {
    doc: FactsDocument;
    buckets: FactsBucket[];
  };
  return { ...stored, writesMax };
};

const loaded = ({ doc, buckets }: ReturnType<typeof storedOf>, months: readonly string[]) =>
  new BucketedFacts(
    doc,
    buckets.filter(({ month }) => months.includes(month)),
  );

const historyOf = (events: readonly Recorded[]): HistoryFacts =>
  new HistoryFacts(events.reduce<ContactHistory | null>(foldHistory, null) as ContactHistory);

const log = contactLogs({ contactsMax: 1, stepsMax: 14 });
const DAY_MS = 86_400_000;

/** Where a fact comes or goes, and a millisecond either side; or anywhere. */
const anyInstant = (events: readonly Recorded[], pick: number, edge: number, tz: string): number => {
  const event = events[pick % events.length] as Recorded;
  const time = Date.parse(pick % 3 === 0 ? event.meta.recordedAt : event.data.occurredAt);
  const off = (edge % 3) - 1;
  if (edge % 5 === 0) return time + off;
  if (edge % 5 === 1) return Date.parse('2024-02-01T00:00:00Z') + off + (pick % 900) * DAY_MS - 450 * DAY_MS;
  const duration = RULE_DURATIONS[pick % RULE_DURATIONS.length] as string;
  const zoned = Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(tz);
  return zoned.add(duration).epochMilliseconds + off;
};

describe('facts in buckets', () => {
  const agree = (
    input: object,
    events: readonly Recorded[],
    picks: readonly (readonly [number, number])[],
  ) => {
    const rule = parseRule(input);
    const stored = storedOf(events);
    const reference = historyOf(events);
    for (const [pick, edge] of picks) {
      const now = anyInstant(events, pick, edge, rule.tz);
      const needed = bucketsNeeded(rule, stored.doc, now);
      expect(evaluate(rule, loaded(stored, needed), new Date(now))).toEqual(
        evaluate(rule, reference, new Date(now)),
      );
      const all = loaded(stored, allBuckets(stored.doc));
      expect(explain(rule, all, new Date(now))).toEqual(explain(rule, reference, new Date(now)));
    }
  };
  const picks = fc.array(fc.tuple(fc.nat(1_000), fc.nat(1_000)), { minLength: 1, maxLength: 4 });

  it('answer any leaf as the whole history does, from what it says it needs', () => {
    fc.assert(fc.property(anyLeafRule, log, picks, agree), { numRuns: 500 });
  });

  it('answer any rule as the whole history does, from what it says it needs', () => {
    fc.assert(fc.property(anyRule, log, picks, agree), { numRuns: 150 });
  });

  const recordedWindow = fc.oneof(
    fc.record({ last: fc.constantFrom('P1D', 'P30D', 'P3M'), axis: fc.constant('recorded') }),
    fc.record({
      period: fc.constantFrom('month', 'year'),
      offset: fc.constantFrom(0, -1),
      axis: fc.constant('recorded'),
    }),
    fc.constant({ ever: true, axis: 'recorded' }),
  );
  const recordedRule = fc
    .tuple(
      fc.constantFrom<object>(
        { metric: 'points.earned' },
        { metric: 'purchases.count' },
        { metric: 'purchases.shareAt', locationId: 'l1' },
      ),
      fc.integer({ min: 0, max: 60 }),
      recordedWindow,
    )
    .map(([metric, value, window]) => ({ ...metric, op: 'gte', value, window }));

  it('answer by time of recording, also of what happened in another month', () => {
    fc.assert(fc.property(recordedRule, log, picks, agree), { numRuns: 200 });
  });

  it('are written in three documents an event at most', () => {
    fc.assert(fc.property(log, (events) => void expect(storedOf(events).writesMax).toBeLessThanOrEqual(3)));
  });
});

describe('what has to be loaded', () => {
  const at = (n: number): string => new Date(Date.UTC(2020, 0, 15) + n * 10 * DAY_MS).toISOString();
  const events = recordedLog(
    [
      facts.registered({ occurredAt: at(0) }),
      ...Array.from({ length: 120 }, (_, n) =>
        facts.purchased(`p${n}`, 1, { occurredAt: at(n), balance: n }),
      ),
    ],
    [at(0), ...Array.from({ length: 120 }, (_, n) => at(n))],
  );
  const stored = storedOf(events);
  const now = Date.parse(at(119));
  const needed = (node: object) => bucketsNeeded(parseRule(node), stored.doc, now);

  it('is a few months for a window, however long the history is', () => {
    expect(
      needed({ event: 'PurchaseRecorded', count: { op: 'gte', value: 2 }, window: { last: 'P30D' } }),
    ).toEqual(['2023-03', '2023-04']);
    expect(
      needed({ metric: 'purchases.count', op: 'gte', value: 3, window: { period: 'month', offset: 0 } }),
    ).toEqual(['2023-04']);
  });

  it('is two months at most for what was latest and for what all adds up to', () => {
    expect(needed({ since: 'lastPurchase', op: 'gt', value: 'P30D', never: 'match' })).toEqual([
      '2023-03',
      '2023-04',
    ]);
    expect(needed({ metric: 'points.balance', op: 'gte', value: 3 }).length).toBeLessThanOrEqual(2);
  });

  it('is nothing for what only stands', () => {
    expect(needed({ attr: 'profile.gender', op: 'eq', value: 'female' })).toEqual([]);
  });

  it('is missed rather than guessed', () => {
    const rule = parseRule({ metric: 'purchases.count', op: 'gte', value: 3, window: { last: 'P30D' } });
    expect(() => evaluate(rule, loaded(stored, ['2023-04']), new Date(now))).toThrow(BucketNotLoadedError);
  });
});

it('counts a fact once that happened at the end of one month and was recorded in the next', () => {
  const [before, happened, written] = ['2026-02-20', '2026-02-27', '2026-03-02'].map(
    (date) => `${date}T12:00:00.000Z`,
  ) as [string, string, string];
  const stored = storedOf(
    recordedLog(
      [
        facts.registered({ occurredAt: before }),
        facts.purchased('on time', 1, { occurredAt: before }),
        facts.purchased('late', 1, { occurredAt: happened }),
      ],
      [before, before, written],
    ),
  );
  const window = { last: 'P30D', axis: 'recorded' };
  const rule = parseRule({ metric: 'purchases.count', op: 'eq', value: 2, window });
  const now = Date.parse('2026-03-05T00:00:00.000Z');
  const known = loaded(stored, bucketsNeeded(rule, stored.doc, now));
  expect(evaluate(rule, known, new Date(now)).truth).toBe('true');
});

it('spreads a month over buckets of a bounded size, and needs all of them', () => {
  const at = '2026-03-01T12:00:00.000Z';
  const purchases = Array.from({ length: 200 }, (_, n) =>
    facts.purchased(`invoice ${n}`, 1, { occurredAt: at }),
  );
  const stored = storedOf(
    recordedLog(
      [facts.registered({ occurredAt: at }), ...purchases],
      Array.from({ length: 201 }, () => at),
    ),
  );
  expect(stored.buckets.map(({ part, facts: { length } }) => [part, length])).toEqual([
    [0, 64],
    [1, 64],
    [2, 64],
    [3, 9],
  ]);
  const window = { last: 'P30D' };
  const rule = parseRule({ metric: 'purchases.count', op: 'eq', value: 200, window });
  const now = new Date('2026-03-05T00:00:00.000Z');
  expect(evaluate(rule, loaded(stored, ['2026-03']), now).truth).toBe('true');
  const missing = { ...stored, buckets: stored.buckets.slice(1) };
  expect(() => evaluate(rule, loaded(missing, ['2026-03']), now)).toThrow(BucketNotLoadedError);
  // What was written ahead of the document does not count.
  const earlier = { ...stored.doc, sizes: { '2026-03': 201 } };
  const upTo = new BucketedFacts(earlier, stored.buckets, undefined, 150n);
  const { count } = upTo.tally({ event: 'PurchaseRecorded' }, { after: 0, upTo: now.getTime() });
  expect(count).toBeLessThan(200);
});

it('keeps no attribute of an erased contact', () => {
  const erased: ContactEvent = {
    type: 'contacts.ContactErased.v1',
    data: {
      contactId: CONTACT_ID,
      occurredAt: '2026-03-02T00:00:00.000Z',
      erasureId: 'e',
      keyIds: [],
      held: [],
    },
  };
  const { doc } = storedOf(
    recordedLog([facts.registered({ profile: { firstName: 'Canary' } }), facts.consented(true), erased]),
  );
  expect(JSON.stringify(doc)).not.toContain('Canary');
  expect(doc.consents).toEqual([]);
});

it('forgets lots that are empty and past, and keeps those that may be refilled', () => {
  const day = (n: number): string => new Date(Date.UTC(2026, 2, n)).toISOString();
  const doc = (until: number) =>
    storedOf(
      recordedLog(
        [
          facts.registered(),
          facts.credited('lot', 10, { expiresAt: day(20) }),
          facts.debited('debit', { lot: 10 }),
          facts.checkedIn('visit', 0),
        ],
        [day(1), day(1), day(2), day(until)],
      ),
    ).doc;
  expect(doc(19).lots).toHaveLength(1);
  expect(doc(20).lots).toEqual([]);
});
