import { anyLeafRule, anyRule, RULE_DURATIONS, RULE_ZONES } from '@app/testing';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import type { ContactHistory, HistoryFact } from './contact-history';
import { evaluate, explain } from './evaluate';
import type { Membership } from './facts';
import { HistoryFacts } from './history.facts';
import { parseRule } from './parse-rule';
import type { Rule } from './rule';

const DAY_MS = 86_400_000;

/** Month ends, 29 February, and the hours in which clocks are changed. */
const EDGES = [
  '2023-12-31T23:30:00.000Z',
  '2024-01-30T10:00:00.000Z',
  '2024-01-31T12:00:00.000Z',
  '2024-02-28T22:59:59.999Z',
  '2024-02-29T00:00:00.000Z',
  '2024-02-29T23:00:00.000Z',
  '2024-03-10T07:00:00.000Z',
  '2024-03-30T01:30:00.000Z',
  '2024-03-31T01:00:00.000Z',
  '2024-04-06T15:30:00.000Z',
  '2024-10-26T23:30:00.000Z',
  '2024-10-27T00:30:00.000Z',
  '2024-11-03T05:30:00.000Z',
  '2025-02-28T12:00:00.000Z',
].map((text) => Date.parse(text));
const anyInstant = fc.oneof(
  fc
    .tuple(fc.constantFrom(...EDGES), fc.constantFrom(0, 0, 1, -1, 3_600_000, -DAY_MS, 1_800_000))
    .map(([edge, off]) => edge + off),
  fc
    .date({ min: new Date('2023-11-01'), max: new Date('2024-12-31'), noInvalidDate: true })
    .map((date) => date.getTime()),
);
const iso = (instant: number): string => new Date(instant).toISOString();

const purchase = fc.record({
  name: fc.constant('PurchaseRecorded'),
  fields: fc.record(
    {
      pool: fc.constantFrom('main', 'vip'),
      points: fc.integer({ min: 0, max: 20 }),
      locationId: fc.constantFrom('l1', 'l2'),
      'amount.minor': fc.integer({ min: 0, max: 3_000 }),
      'amount.currency': fc.constantFrom('EUR', 'EUR', 'USD'),
    },
    { requiredKeys: ['pool', 'points', 'amount.minor', 'amount.currency'] },
  ),
});
const moved = fc.record({
  name: fc.constantFrom('CheckedIn', 'PointsCredited', 'PointsDebited', 'PointsExpired', 'RewardRedeemed'),
  fields: fc.record({ pool: fc.constantFrom('main', 'vip'), points: fc.integer({ min: 0, max: 20 }) }),
});
const returned = fc.record({
  name: fc.constant('PurchaseReturned'),
  fields: fc.record({
    pool: fc.constant('main'),
    points: fc.constant(1),
    'amount.minor': fc.integer({ min: 0, max: 3_000 }),
    'amount.currency': fc.constant('EUR'),
  }),
});
const anyFact: fc.Arbitrary<HistoryFact> = fc
  .tuple(fc.oneof(purchase, purchase, moved, returned), anyInstant, anyInstant, fc.uuid())
  .map(([{ name, fields }, occurred, recorded, eventId]) => ({
    name,
    fields,
    eventId,
    position: '0',
    occurredAt: iso(occurred),
    recordedAt: iso(recorded),
  }));

const anyHistory: fc.Arbitrary<ContactHistory> = fc
  .record({
    registered: anyInstant,
    birthday: fc.constantFrom('1988-02-29', '1990-05-17', '2000-01-31', '2004-12-31', undefined),
    gender: fc.constantFrom('female', 'male', undefined),
    firstName: fc.constantFrom('Anna', 'Émile', undefined),
    tags: fc.constantFrom(['vip'], ['vip', '$gt'], undefined),
    granted: fc.constantFrom(true, false, undefined),
    lots: fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), anyInstant), { maxLength: 3 }),
    facts: fc.array(anyFact, { maxLength: 7 }),
  })
  .map(({ registered, granted, lots, facts, tags, ...profile }) => ({
    contactId: 'c1',
    registeredAt: iso(registered),
    attributes: Object.fromEntries(
      [
        ['registeredAt', iso(registered)],
        ['source', 'app'],
        ['tags', tags],
        ...Object.entries(profile).map(([name, value]) => [`profile.${name}`, value]),
      ].flatMap(([name, value]) => (value === undefined ? [] : [[name, { value }]])),
    ) as ContactHistory['attributes'],
    consents:
      granted === undefined ? [] : [{ purpose: 'marketing', channel: null, granted, eventId: 'e-consent' }],
    devices: [],
    lots: lots.map(([points, at], index) => ({
      entryId: String(index),
      pool: 'main',
      points,
      expiresAt: iso(at),
    })),
    facts: facts.map((fact, index) => ({ ...fact, position: String(index) })),
  }));

const anyStays: fc.Arbitrary<Readonly<Record<string, Membership[]>>> = fc
  .uniqueArray(anyInstant, { maxLength: 5 })
  .map((edges) => {
    const sorted = [...edges].sort((one, other) => one - other);
    const stays: Membership[] = [];
    for (let n = 0; n < sorted.length; n += 2)
      stays.push({ from: sorted[n] ?? 0, to: sorted[n + 1] ?? null });
    return { s1: stays };
  });

const anyFacts = fc
  .tuple(anyHistory, anyStays)
  .map(([history, stays]) =>
    Object.assign(new HistoryFacts(history, stays), { times: timesOf(history, stays) }),
  );

const timesOf = (history: ContactHistory, stays: Readonly<Record<string, Membership[]>>): number[] =>
  [
    Date.parse(history.registeredAt),
    ...history.facts.flatMap(({ occurredAt, recordedAt }) => [
      Date.parse(occurredAt),
      Date.parse(recordedAt),
    ]),
    ...history.lots.map(({ expiresAt }) => Date.parse(expiresAt)),
    ...Object.values(stays).flatMap((list) => list.flatMap(({ from, to }) => [from, to ?? from])),
  ].slice(0, 12);

/** Around the instants at which a fact of this time could come or go, by the library and not by our calendar. */
const edgesAround = (time: number, duration: string, tz: string): number[] => {
  const zoned = Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(tz);
  const edges = [time, zoned.add(duration).epochMilliseconds, zoned.subtract(duration).epochMilliseconds];
  return edges.flatMap((edge) => [edge - 1, edge, edge + 1]);
};

const known = new Map<string, number[]>();
const edgesOf = (times: readonly number[], tz: string): number[] =>
  times.flatMap((time) => {
    const key = `${time} ${tz}`;
    const edges = known.get(key) ?? RULE_DURATIONS.flatMap((duration) => edgesAround(time, duration, tz));
    known.set(key, edges);
    return edges;
  });

const midnights = (from: number, days: number, tz: string): number[] => {
  const start = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(tz).toPlainDate();
  return Array.from({ length: days }, (_, day) => day).flatMap((day) => {
    const midnight = start.add({ days: day }).toZonedDateTime(tz).epochMilliseconds;
    return [midnight - 1, midnight];
  });
};

const truthAt = (rule: Rule, facts: HistoryFacts, instant: number): string =>
  evaluate(rule, facts, new Date(instant)).truth;

describe('the next change', () => {
  const surelyStays = (input: object, facts: HistoryFacts & { times: number[] }, now: number): void => {
    const rule = parseRule(input);
    const { truth, nextChangeAt } = evaluate(rule, facts, new Date(now));
    const next = nextChangeAt === null ? Infinity : Date.parse(nextChangeAt);
    expect(next).toBeGreaterThan(now);
    const instants = [
      ...edgesOf(facts.times, rule.tz),
      ...midnights(now, 20, rule.tz),
      next - 1,
      now + 400 * DAY_MS,
    ];
    for (const instant of instants) {
      if (now < instant && instant < next && Number.isFinite(instant)) {
        expect([iso(instant), truthAt(rule, facts, instant)]).toEqual([iso(instant), truth]);
      }
    }
  };

  it('comes no earlier than said, of any leaf', () => {
    fc.assert(fc.property(anyLeafRule, anyFacts, anyInstant, surelyStays), { numRuns: 160 });
  });

  it('comes no earlier than said, of any rule', () => {
    fc.assert(fc.property(anyRule, anyFacts, anyInstant, surelyStays), { numRuns: 40 });
  });

  it('is followed to the end in few steps, with all events frozen', () => {
    fc.assert(
      fc.property(anyRule, anyFacts, anyInstant, (input, facts, start) => {
        const rule = parseRule(input);
        let [now, steps] = [start, 0];
        for (const end = start + 400 * DAY_MS; now < end; steps += 1) {
          const { nextChangeAt } = evaluate(rule, facts, new Date(now));
          if (nextChangeAt === null) break;
          now = Date.parse(nextChangeAt);
        }
        // At the very most a change a day, from leaves on calendar days.
        expect(steps).toBeLessThan(900);
      }),
      { numRuns: 100 },
    );
  });
});

it('explains what it answers, under pointers that lead to the nodes', () => {
  fc.assert(
    fc.property(anyRule, anyFacts, anyInstant, (input, facts, now) => {
      const rule = parseRule(input);
      const { truth } = evaluate(rule, facts, new Date(now));
      const tree = explain(rule, facts, new Date(now));
      expect(tree.truth).toBe(truth);
      const check = ({ pointer, children = [] }: typeof tree): void => {
        const node = pointer
          .split('/')
          .slice(1)
          .reduce<unknown>((value, token) => (value as Record<string, unknown>)[token], rule);
        expect(typeof node).toBe('object');
        children.forEach(check);
      };
      check(tree);
      expect(JSON.parse(JSON.stringify(tree))).toEqual(tree);
    }),
    { numRuns: 200 },
  );
});

/** Written apart from the product's code, on the library's own dates. */
describe('a window holds', () => {
  const zoned = (instant: number, tz: string): Temporal.ZonedDateTime =>
    Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(tz);
  const isIn = (
    window: Record<string, unknown>,
    time: number,
    now: number,
    tz: string,
    registered: number,
  ): boolean => {
    if (time > now) return false;
    const { last, period, offset, from, to, sinceRegistration } = window as Record<string, string>;
    if (last !== undefined) return zoned(time, tz).add(last).epochMilliseconds > now;
    if (sinceRegistration !== undefined) {
      return time >= registered && time < zoned(registered, tz).add(sinceRegistration).epochMilliseconds;
    }
    if (period !== undefined) {
      const index = (instant: number): number => {
        const date = zoned(instant, tz).toPlainDate();
        const months = date.year * 12 + date.month - 1;
        const days = Temporal.PlainDate.from('2000-01-03').until(date, { largestUnit: 'days' }).days;
        return {
          day: days,
          week: Math.floor(days / 7),
          month: months,
          quarter: Math.floor(months / 3),
          year: date.year,
        }[period] as number;
      };
      return index(time) === index(now) + Number(offset);
    }
    if (from === undefined) return true;
    const begin = Temporal.PlainDate.from(from).toZonedDateTime(tz).epochMilliseconds;
    const end = /T/.test(to ?? '')
      ? Date.parse(to ?? '')
      : Temporal.PlainDate.from(to ?? '').toZonedDateTime(tz).epochMilliseconds;
    return begin <= time && time < end;
  };
  const windows = fc.oneof(
    fc.record({ last: fc.constantFrom(...RULE_DURATIONS) }),
    fc.record({
      period: fc.constantFrom('day', 'week', 'month', 'quarter', 'year'),
      offset: fc.constantFrom(0, -1, -2),
    }),
    fc.constantFrom<object>(
      { from: '2024-01-31', to: '2024-04-01' },
      { from: '2024-02-29', to: '2024-10-27T00:30:00Z' },
    ),
    fc.record({ sinceRegistration: fc.constantFrom(...RULE_DURATIONS) }),
    fc.constant({ ever: true }),
  );

  it('what its definition says, to the millisecond', () => {
    fc.assert(
      fc.property(
        windows,
        anyHistory,
        fc.constantFrom(...RULE_ZONES),
        fc.integer({ min: 0, max: 10_000 }),
        fc.boolean(),
        (window, history, tz, pick, recorded) => {
          const registered = Date.parse(history.registeredAt);
          const times = timesOf(history, {});
          const time = times[pick % times.length] ?? registered;
          const edges = edgesAround(time, RULE_DURATIONS[pick % RULE_DURATIONS.length] ?? 'P1D', tz);
          const now = Math.max(registered, edges[pick % edges.length] ?? registered);
          const axis = recorded ? 'recordedAt' : 'occurredAt';
          const expected = history.facts.filter(
            (fact) =>
              fact.name === 'PurchaseRecorded' &&
              isIn(window as Record<string, unknown>, Date.parse(fact[axis]), now, tz, registered),
          );
          const rule = parseRule({
            dsl: 1,
            tz,
            root: {
              event: 'PurchaseRecorded',
              window: { ...window, ...(recorded && !('ever' in window) && { axis: 'recorded' }) },
            },
          });
          if (recorded && 'ever' in window) return;
          const { value, evidence = [] } = explain(rule, new HistoryFacts(history), new Date(now));
          expect(value).toBe(expected.length);
          expect([...evidence].sort()).toEqual(expected.map(({ eventId }) => eventId).sort());
        },
      ),
      { numRuns: 800 },
    );
  });
});
