import fc from 'fast-check';
import { durationParts } from './duration';
import { shift } from './calendar';
import type { ContactFacts, Fact, Series, Tally } from './facts';
import { Moment } from './moment';
import { nextMoveIn, tallyIn } from './windows';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2024, 1, 8, 12);
const SERIES: Series = { points: 'balance', pool: 'main' };

/** Facts as they are, nothing else. */
const factsOf = (points: readonly Readonly<{ at: number; amount: number }>[]): ContactFacts => {
  const facts = points
    .map(({ at, amount }, n): Fact => ({ at, amount, count: 1, eventId: String(n), fields: {} }))
    .sort((one, other) => one.at - other.at);
  const within = (after: number, upTo: number) => facts.filter(({ at }) => after < at && at <= upTo);
  return {
    registeredAt: 0,
    tally: (_, { after, upTo }): Tally => ({
      count: within(after, upTo).length,
      sum: within(after, upTo).reduce((sum, { amount }) => sum + amount, 0),
    }),
    list: (_, { after, upTo }, { order, limit }) => {
      const found = within(after, upTo);
      return (order === 'oldest' ? found : found.reverse()).slice(0, limit);
    },
  } as Partial<ContactFacts> as ContactFacts;
};

/** More than are looked through in one go, some at one time, some in the days that months are clamped to. */
const anyPoints = fc.array(
  fc.record({
    at: fc
      .tuple(fc.integer({ min: -35, max: 40 }), fc.constantFrom(0, 1, 3_600_000, 43_200_000))
      .map(([days, ms]) => NOW + days * DAY_MS + ms),
    amount: fc.constantFrom(1, 1, 1, 2, -1),
  }),
  { minLength: 100, maxLength: 260 },
);

describe('when a rolling window next moves', () => {
  it.each([
    ['UTC', 'P30D'],
    ['UTC', 'P1M'],
    ['Europe/Vienna', 'P30D'],
    ['America/New_York', 'P1M'],
    ['UTC', 'PT36H'],
  ])('is never later than the first change that matters, and comes to an end: %s %s', (tz, last) => {
    const duration = durationParts(last);
    const moment = new Moment(NOW, { tz, weekStart: 'MO' });
    fc.assert(
      fc.property(anyPoints, fc.integer({ min: -5, max: 120 }), (points, limit) => {
        const facts = factsOf(points);
        const window = { last };
        const truthAt = (now: number) => tallyIn(SERIES, window, facts, moment.at(now)).sum >= limit;
        const edges = points
          .flatMap(({ at }) => [at, shift(at, duration, 1, tz)])
          .filter((at) => at > NOW)
          .sort((one, other) => one - other);
        const before = truthAt(NOW);
        const change = edges.find((at) => truthAt(at) !== before) ?? null;
        let steps = 0;
        for (let now = NOW; ; steps += 1) {
          const truthIn = ({ sum }: Tally): boolean => sum >= limit === before;
          const next = nextMoveIn(SERIES, window, facts, moment.at(now), truthIn);
          if (next === null) return change === null;
          if (next <= now) return false;
          if (change !== null && next >= change) return next === change && steps <= 8;
          now = next;
        }
      }),
      { numRuns: 150 },
    );
  });

  it('sees a fact that leaves before many that are older, where months are clamped', () => {
    const older = Array.from({ length: 70 }, () => ({ at: Date.UTC(2024, 0, 29, 13), amount: 1 }));
    const facts = factsOf([...older, { at: Date.UTC(2024, 0, 30, 12), amount: 1 }]);
    const moment = new Moment(NOW, { tz: 'UTC', weekStart: 'MO' });
    const next = nextMoveIn(SERIES, { last: 'P1M' }, facts, moment, ({ sum }) => sum === 71);
    expect(next).toBe(Date.UTC(2024, 1, 29, 12));
  });
});
