import type { ContactHistory, HistoryFact } from './contact-history';
import { evaluate, explain, rankingFigure } from './evaluate';
import type { Membership } from './facts';
import { HistoryFacts } from './history.facts';
import { bucketOf } from './leaves/standing.leaves';
import { parseRule } from './parse-rule';

const event = (name: string, occurredAt: string, fields: HistoryFact['fields'] = {}): HistoryFact => ({
  name,
  eventId: `${name}@${occurredAt}`,
  position: '0',
  occurredAt: new Date(occurredAt).toISOString(),
  recordedAt: new Date(occurredAt).toISOString(),
  fields,
});
const bought = (at: string, minor = 100, rest: HistoryFact['fields'] = {}): HistoryFact =>
  event('PurchaseRecorded', at, { 'amount.minor': minor, 'amount.currency': 'EUR', ...rest });

type Given = Partial<Omit<ContactHistory, 'attributes'>> &
  Readonly<{ attributes?: Record<string, string | number | boolean | string[]>; stays?: Membership[] }>;

const contact = ({ facts = [], attributes = {}, stays = [], ...rest }: Given = {}): HistoryFacts => {
  const registeredAt = rest.registeredAt ?? '2020-01-01T00:00:00.000Z';
  return new HistoryFacts(
    {
      contactId: 'c1',
      consents: [],
      devices: [],
      lots: [],
      ...rest,
      registeredAt,
      attributes: Object.fromEntries(
        Object.entries({ registeredAt, ...attributes }).map(([name, value]) => [
          name,
          { value, eventId: `e-${name}` },
        ]),
      ),
      facts: facts.map((fact, index) => ({ ...fact, position: String(index) })),
    },
    { s: stays },
  );
};

const truth = (rule: object, facts: HistoryFacts, now: string): string =>
  evaluate(parseRule(rule), facts, new Date(now)).truth;

/** Every change with all events frozen, found from one due time to the next. */
const changes = (rule: object, facts: HistoryFacts, from: string, to: string): string[] => {
  const parsed = parseRule(rule);
  const found: string[] = [];
  let { truth: before, nextChangeAt } = evaluate(parsed, facts, new Date(from));
  for (let step = 0; nextChangeAt !== null && nextChangeAt < to && step < 1_000; step += 1) {
    const at = nextChangeAt;
    const after = evaluate(parsed, facts, new Date(at));
    if (after.truth !== before) found.push(`${at} ${after.truth}`);
    ({ truth: before, nextChangeAt } = after);
  }
  return found;
};

const rule = (tz: string, root: object, weekStart = 'MO'): object => ({ dsl: 1, tz, weekStart, root });
const born = (birthday: string): HistoryFacts => contact({ attributes: { 'profile.birthday': birthday } });

describe('29 February', () => {
  it('makes nobody older before 1 March in other years', () =>
    expect(
      changes(
        rule('Europe/Vienna', { attr: 'age', op: 'gte', value: 21 }),
        born('2004-02-29'),
        '2025-01-01T00:00:00Z',
        '2026-01-01',
      ),
    ).toEqual(['2025-02-28T23:00:00.000Z true']));

  it.each([
    ['feb28', ['2025-02-28T00:00:00.000Z true', '2025-03-01T00:00:00.000Z false']],
    ['mar1', ['2025-03-01T00:00:00.000Z true', '2025-03-02T00:00:00.000Z false']],
  ])('is kept on %s where the leaf says so', (feb29, expected) =>
    expect(
      changes(
        { anniversary: 'profile.birthday', from: 'P0D', to: 'P0D', feb29 },
        born('2004-02-29'),
        '2025-01-01T00:00:00Z',
        '2026-01-01',
      ),
    ).toEqual(expected),
  );

  it('is a day of its own in leap years', () =>
    expect(
      changes(
        { anniversary: 'profile.birthday', from: 'P0D', to: 'P0D' },
        born('2004-02-29'),
        '2024-01-01T00:00:00Z',
        '2025-01-01',
      ),
    ).toEqual(['2024-02-29T00:00:00.000Z true', '2024-03-01T00:00:00.000Z false']));
});

describe('anniversaries', () => {
  const next7 = { anniversary: 'profile.birthday', from: 'P0D', to: 'P7D' };

  it('come near over the turn of the year', () =>
    expect(
      changes(rule('Europe/Vienna', next7), born('1990-01-03'), '2023-12-01T00:00:00Z', '2024-06-01'),
    ).toEqual(['2023-12-26T23:00:00.000Z true', '2024-01-03T23:00:00.000Z false']));

  it('of this month change with the month', () =>
    expect(
      changes(
        { anniversary: 'profile.birthday', window: { period: 'month' } },
        born('1990-05-17'),
        '2024-01-01T00:00:00Z',
        '2025-01-01',
      ),
    ).toEqual(['2024-05-01T00:00:00.000Z true', '2024-06-01T00:00:00.000Z false']));

  it('are of one year at least, and unknown without a date', () => {
    const today = { anniversary: 'registeredAt', from: 'P0D', to: 'P0D' };
    const facts = contact({ registeredAt: '2024-05-05T10:00:00.000Z' });
    expect(truth(today, facts, '2024-05-05T12:00:00Z')).toBe('false');
    expect(truth(today, facts, '2025-05-05T12:00:00Z')).toBe('true');
    expect(truth(next7, contact(), '2025-05-05T12:00:00Z')).toBe('unknown');
  });
});

describe('rolling windows', () => {
  const inLast = (last: string, tz = 'UTC'): object =>
    rule(tz, { event: 'PurchaseRecorded', window: { last } });

  it('are half open, to the millisecond', () => {
    const facts = contact({ facts: [bought('2024-01-01T12:00:00Z')] });
    expect(truth(inLast('P30D'), facts, '2024-01-01T11:59:59.999Z')).toBe('false');
    expect(truth(inLast('P30D'), facts, '2024-01-01T12:00:00.000Z')).toBe('true');
    expect(truth(inLast('P30D'), facts, '2024-01-31T11:59:59.999Z')).toBe('true');
    expect(truth(inLast('P30D'), facts, '2024-01-31T12:00:00.000Z')).toBe('false');
  });

  it('of a month end with it: 31 January and a month is the last day of February', () => {
    const facts = contact({ facts: [bought('2023-01-31T12:00:00Z')] });
    expect(changes(inLast('P1M'), facts, '2023-02-01T00:00:00Z', '2024-01-01')).toEqual([
      '2023-02-28T12:00:00.000Z false',
    ]);
    const leap = contact({ facts: [bought('2024-01-31T12:00:00Z')] });
    expect(changes(inLast('P1M'), leap, '2024-02-01T00:00:00Z', '2025-01-01')).toEqual([
      '2024-02-29T12:00:00.000Z false',
    ]);
  });

  it('let each fact go once, also where a later one goes sooner', () => {
    const facts = contact({ facts: [bought('2023-01-29T10:00:00Z'), bought('2023-01-31T09:00:00Z')] });
    const both = { event: 'PurchaseRecorded', count: { op: 'gte', value: 2 }, window: { last: 'P1M' } };
    expect(changes(both, facts, '2023-02-01T00:00:00Z', '2024-01-01')).toEqual([
      '2023-02-28T09:00:00.000Z false',
    ]);
    expect(changes(inLast('P1M'), facts, '2023-02-01T00:00:00Z', '2024-01-01')).toEqual([
      '2023-02-28T10:00:00.000Z false',
    ]);
  });

  it('keep the time of day when clocks are changed, where they are of days; hours elapse', () => {
    const facts = contact({ facts: [bought('2024-03-30T11:00:00Z')] });
    expect(changes(inLast('P1D', 'Europe/Vienna'), facts, '2024-03-30T12:00:00Z', '2025-01-01')).toEqual([
      '2024-03-31T10:00:00.000Z false',
    ]);
    expect(changes(inLast('PT24H', 'Europe/Vienna'), facts, '2024-03-30T12:00:00Z', '2025-01-01')).toEqual([
      '2024-03-31T11:00:00.000Z false',
    ]);
  });

  it('keep a fact for its day, also where a day before now falls into the hour that was skipped or came twice', () => {
    const inDay = inLast('P1D', 'Europe/Vienna');
    // 03:15 in summer; a day before 02:45 is 02:45, which was skipped and counts as 03:45.
    const spring = contact({ facts: [bought('2024-03-31T01:15:00Z')] });
    expect(truth(inDay, spring, '2024-04-01T00:45:00Z')).toBe('true');
    expect(changes(inDay, spring, '2024-03-31T02:00:00Z', '2025-01-01')).toEqual([
      '2024-04-01T01:15:00.000Z false',
    ]);
    // 02:30 for the second time; a day before 02:15 is 02:15 for the first time.
    const autumn = contact({ facts: [bought('2024-10-27T01:30:00Z')] });
    expect(changes(inDay, autumn, '2024-10-27T02:00:00Z', '2025-01-01')).toEqual([
      '2024-10-28T01:30:00.000Z false',
    ]);
    // 02:20 for the second time has its day, though a fact of 02:40 for the first time goes later.
    const both = contact({ facts: [bought('2024-10-27T00:40:00Z'), bought('2024-10-27T01:20:00Z')] });
    const two = { event: 'PurchaseRecorded', count: { op: 'gte', value: 2 }, window: { last: 'P1D' } };
    expect(changes(rule('Europe/Vienna', two), both, '2024-10-27T02:00:00Z', '2025-01-01')).toEqual([
      '2024-10-28T01:20:00.000Z false',
    ]);
  });

  it('tell when a count is crossed, not when any fact goes', () => {
    const facts = contact({
      facts: ['01', '02', '03', '04'].map((day) => bought(`2024-01-${day}T00:00:00Z`)),
    });
    const two = { event: 'PurchaseRecorded', count: { op: 'gte', value: 2 }, window: { last: 'P30D' } };
    expect(evaluate(parseRule(two), facts, new Date('2024-01-05')).nextChangeAt).toBe(
      '2024-02-02T00:00:00.000Z',
    );
  });

  it('see what is dated a little ahead when its time comes', () => {
    const facts = contact({ facts: [bought('2024-01-01T00:00:30Z')] });
    expect(changes(inLast('P1D'), facts, '2024-01-01T00:00:00Z', '2025-01-01')).toEqual([
      '2024-01-01T00:00:30.000Z true',
      '2024-01-02T00:00:30.000Z false',
    ]);
  });
});

describe('calendar periods', () => {
  const visits = (period: string, offset = 0): object => ({ event: 'CheckedIn', window: { period, offset } });
  const visitor = contact({ facts: [event('CheckedIn', '2024-03-31T00:30:00Z')] });
  const during = (tz: string, period: string, offset = 0, weekStart = 'MO'): string[] =>
    changes(rule(tz, visits(period, offset), weekStart), visitor, '2024-03-01T00:00:00Z', '2025-06-01');

  it.each([
    ['day', ['2024-03-31T00:30:00.000Z true', '2024-03-31T22:00:00.000Z false']],
    ['week', ['2024-03-31T00:30:00.000Z true', '2024-03-31T22:00:00.000Z false']],
    ['month', ['2024-03-31T00:30:00.000Z true', '2024-03-31T22:00:00.000Z false']],
    ['quarter', ['2024-03-31T00:30:00.000Z true', '2024-03-31T22:00:00.000Z false']],
    ['year', ['2024-03-31T00:30:00.000Z true', '2024-12-31T23:00:00.000Z false']],
  ])('of a %s end in the rule’s time zone, on the day clocks are changed', (period, expected) =>
    expect(during('Europe/Vienna', period)).toEqual(expected),
  );

  it('begin with the day that the rule says a week begins with', () =>
    expect(during('Europe/Vienna', 'week', 0, 'SU')).toEqual([
      '2024-03-31T00:30:00.000Z true',
      '2024-04-06T22:00:00.000Z false',
    ]));

  it('of the past come true when their successor begins', () =>
    expect(during('Europe/Vienna', 'month', -1)).toEqual([
      '2024-03-31T22:00:00.000Z true',
      '2024-04-30T22:00:00.000Z false',
    ]));

  it('never wake who has nothing in them', () =>
    expect(evaluate(parseRule(visits('day')), contact(), new Date('2024-03-01')).nextChangeAt).toBeNull());
});

describe('absence', () => {
  const none = (requireTenure: boolean, window: object = { last: 'P30D' }): object => ({
    event: 'PurchaseRecorded',
    count: { op: 'eq', value: 0 },
    window,
    requireTenure,
  });
  const young = contact({ registeredAt: '2024-03-10T00:00:00.000Z' });

  it('needs who is old enough, where that is said', () => {
    expect(truth(none(false), young, '2024-03-11T00:00:00Z')).toBe('true');
    expect(changes(none(true), young, '2024-03-11T00:00:00Z', '2025-01-01')).toEqual([
      '2024-04-09T00:00:00.000Z true',
    ]);
    expect(
      changes(none(true, { period: 'month', offset: -1 }), young, '2024-03-11T00:00:00Z', '2025-01-01'),
    ).toEqual(['2024-05-01T00:00:00.000Z true']);
    expect(truth(none(true, { from: '2024-01-01' }), young, '2030-01-01T00:00:00Z')).toBe('false');
  });

  it('is nothing before registration, then all that it is', () =>
    expect(changes(none(false), young, '2024-03-01T00:00:00Z', '2025-01-01')).toEqual([
      '2024-03-10T00:00:00.000Z true',
    ]));
});

describe('recency', () => {
  const since = (op: string, never: string): object => ({ since: 'lastPurchase', op, value: 'P30D', never });

  it('is exact: gte at the edge, gt just behind it', () => {
    const facts = contact({ facts: [bought('2024-01-01T00:00:00Z')] });
    expect(changes(since('gte', 'match'), facts, '2024-01-02T00:00:00Z', '2025-01-01')).toEqual([
      '2024-01-31T00:00:00.000Z true',
    ]);
    expect(changes(since('gt', 'match'), facts, '2024-01-02T00:00:00Z', '2025-01-01')).toEqual([
      '2024-01-31T00:00:00.001Z true',
    ]);
  });

  it('of what never happened is what `never` says', () => {
    expect(truth(since('gt', 'match'), contact(), '2024-01-01T00:00:00Z')).toBe('true');
    expect(truth(since('gt', 'noMatch'), contact(), '2024-01-01T00:00:00Z')).toBe('unknown');
    expect(truth({ not: since('gt', 'noMatch') }, contact(), '2024-01-01T00:00:00Z')).toBe('unknown');
  });
});

describe('figures', () => {
  const now = '2024-06-01T00:00:00Z';
  const spend = (op: string, value: unknown, rest: object = {}): object => ({
    metric: 'purchases.spend',
    currency: 'EUR',
    op,
    value,
    ...rest,
  });
  const average = (op: string, value: number): object => ({
    metric: 'purchases.average',
    currency: 'EUR',
    op,
    value,
  });
  const facts = contact({
    facts: [
      bought('2024-01-01T00:00:00Z', 100, { locationId: 'l1' }),
      bought('2024-02-01T00:00:00Z', 100),
      bought('2024-03-01T00:00:00Z', 101),
      event('PurchaseReturned', '2024-05-01T00:00:00Z', { 'amount.minor': 50, 'amount.currency': 'EUR' }),
    ],
  });

  it('lower the spend from the time of a return on, and not the count', () => {
    expect(truth(spend('eq', 301), facts, '2024-04-30T23:59:59.999Z')).toBe('true');
    expect(truth(spend('eq', 251), facts, now)).toBe('true');
    expect(truth({ metric: 'purchases.count', op: 'eq', value: 3 }, facts, now)).toBe('true');
    expect(truth(spend('eq', -50, { window: { last: 'P40D' } }), facts, now)).toBe('true');
    expect(truth(spend('eq', { minor: 251, currency: 'EUR' }), facts, now)).toBe('true');
  });

  it('average what is left of the spend over all purchases', () => {
    expect(truth(average('gte', 83), facts, now)).toBe('true');
    expect(truth(average('gte', 84), facts, now)).toBe('false');
  });

  it('compare averages without dividing', () => {
    const thirds = contact({
      facts: [
        bought('2024-01-01T00:00:00Z', 1),
        bought('2024-01-01T00:00:00Z', 1),
        bought('2024-01-01T00:00:00Z', 2),
      ],
    });
    expect(['gt', 'gte', 'eq', 'lte'].map((op) => truth(average(op, 1), thirds, now))).toEqual([
      'true',
      'true',
      'false',
      'false',
    ]);
    const large = contact({
      facts: [bought('2024-01-01T00:00:00Z', 9_007_199_254_740_990), bought('2024-01-02T00:00:00Z', 1)],
    });
    expect(truth(average('gte', 4_503_599_627_370_496), large, now)).toBe('false');
  });

  it('know no average and no share of nothing', () => {
    const share = { metric: 'purchases.shareAt', locationId: 'l1', op: 'lte', value: 33 };
    expect(truth(average('gte', 0), contact(), now)).toBe('unknown');
    expect(truth({ metric: 'purchases.average', currency: 'EUR', op: 'isUnset' }, contact(), now)).toBe(
      'true',
    );
    expect(truth(share, contact(), now)).toBe('unknown');
    expect(truth(share, facts, now)).toBe('false');
    expect(truth({ ...share, value: 34 }, facts, now)).toBe('true');
  });

  it('count points: earned and spent are not the balance', () => {
    const moved = contact({
      facts: [
        event('PointsCredited', '2024-01-01T00:00:00Z', { pool: 'main', points: 10 }),
        event('CheckedIn', '2024-01-02T00:00:00Z', { pool: 'main', points: 5 }),
        event('RewardRedeemed', '2024-01-03T00:00:00Z', { pool: 'main', points: 4 }),
        event('PointsExpired', '2024-01-04T00:00:00Z', { pool: 'main', points: 3 }),
        event('PointsReversed', '2024-01-05T00:00:00Z', { pool: 'main', points: -2 }),
        event('PointsCredited', '2024-01-06T00:00:00Z', { pool: 'vip', points: 99 }),
      ],
    });
    const points = (metric: string, value: number): object => ({
      metric: `points.${metric}`,
      op: 'eq',
      value,
    });
    expect(
      ['balance', 'earned', 'spent'].map((name, n) => truth(points(name, [6, 15, 4][n] ?? 0), moved, now)),
    ).toEqual(['true', 'true', 'true']);
  });

  it('count a lot that expires from so long before until it does', () =>
    expect(
      changes(
        { metric: 'points.expiringWithin', within: 'P1M', op: 'gte', value: 5 },
        contact({ lots: [{ entryId: 'l', pool: 'main', points: 5, expiresAt: '2024-03-31T00:00:00.000Z' }] }),
        '2024-01-01T00:00:00Z',
        '2025-01-01',
      ),
    ).toEqual(['2024-02-29T00:00:00.000Z true', '2024-03-31T00:00:00.000Z false']));
});

describe('the last event', () => {
  const at = (locationId: string): object => ({
    lastEvent: 'PurchaseRecorded',
    has: [{ path: 'locationId', op: 'eq', value: locationId }],
  });

  it('is, of two at one time, the one further on in the log', () => {
    const facts = contact({
      facts: [
        bought('2024-01-01T00:00:00Z', 1, { locationId: 'l1' }),
        bought('2024-01-01T00:00:00Z', 1, { locationId: 'l2' }),
      ],
    });
    expect(truth(at('l2'), facts, '2024-02-01T00:00:00Z')).toBe('true');
    expect(truth(at('l1'), facts, '2024-02-01T00:00:00Z')).toBe('false');
  });

  it('is the one that happened last, not the one that was recorded last', () => {
    const facts = contact({
      facts: [
        bought('2024-01-02T00:00:00Z', 1, { locationId: 'l1' }),
        bought('2024-01-01T00:00:00Z', 1, { locationId: 'l2' }),
      ],
    });
    expect(truth(at('l1'), facts, '2024-02-01T00:00:00Z')).toBe('true');
  });

  it('is unknown where there is none, or where it does not say', () => {
    expect(truth(at('l1'), contact(), '2024-02-01T00:00:00Z')).toBe('unknown');
    expect(
      truth(at('l1'), contact({ facts: [bought('2024-01-01T00:00:00Z')] }), '2024-02-01T00:00:00Z'),
    ).toBe('unknown');
  });
});

describe('segments', () => {
  const at = (time: string): number => Date.parse(time);
  const facts = contact({
    stays: [
      { from: at('2024-01-01'), to: at('2024-01-11') },
      { from: at('2024-02-01'), to: at('2024-02-05') },
      { from: at('2024-02-05'), to: null },
    ],
  });
  const segment = (rest: object): object => ({ segment: 's', ...rest });

  it('are what the stays say', () => {
    expect(truth(segment({ op: 'in' }), facts, '2024-01-11T00:00:00Z')).toBe('false');
    expect(truth(segment({ op: 'notIn' }), facts, '2024-01-11T00:00:00Z')).toBe('true');
    expect(truth(segment({ op: 'in' }), facts, '2024-03-01T00:00:00Z')).toBe('true');
    expect(
      changes(segment({ op: 'wasIn', window: { last: 'P7D' } }), facts, '2024-01-05T00:00:00Z', '2025-01-01'),
    ).toEqual(['2024-01-18T00:00:00.000Z false', '2024-02-01T00:00:00.000Z true']);
  });

  it('are stayed in through an edit of their rule', () =>
    expect(
      changes(segment({ op: 'inFor', value: 'P10D' }), facts, '2024-01-01T00:00:00Z', '2025-01-01'),
    ).toEqual(['2024-02-11T00:00:00.000Z true']));
});

describe('what only events change', () => {
  const now = '2024-01-01T00:00:00Z';
  const said = contact({
    consents: [
      { purpose: 'marketing', channel: null, granted: true, eventId: 'e1' },
      { purpose: 'marketing', channel: 'sms', granted: false, eventId: 'e2' },
    ],
    attributes: {
      'profile.phone': '+43',
      'profile.customFields.size': 42,
      'profile.customFields.since': '2020-05-05',
      'profile.customFields.club': ['gold'],
    },
  });
  it.each<[object, string]>([
    [{ consent: 'marketing.email', op: 'granted' }, 'true'],
    [{ consent: 'marketing.sms', op: 'granted' }, 'false'],
    [{ consent: 'marketing.sms', op: 'withdrawn' }, 'true'],
    [{ consent: 'news.sms', op: 'granted' }, 'unknown'],
    [{ consent: 'news.sms', op: 'isUnset' }, 'true'],
    [{ reachable: 'sms' }, 'true'],
    [{ reachable: 'email' }, 'false'],
    [{ reachable: 'inbox' }, 'true'],
    [{ everyone: true }, 'true'],
    [{ attr: 'profile.customFields.size', op: 'gte', value: 41.5 }, 'true'],
    [{ attr: 'profile.customFields.size', op: 'eq', value: '42' }, 'unknown'],
    [{ attr: 'profile.customFields.other', op: 'eq', value: true }, 'unknown'],
    [{ attr: 'profile.customFields.since', op: 'before', value: '2021-01-01' }, 'true'],
    [{ attr: 'profile.customFields.size', op: 'before', value: '2021-01-01' }, 'unknown'],
    [{ attr: 'profile.customFields.club', op: 'hasAny', value: ['gold'] }, 'true'],
    [{ attr: 'profile.customFields.club', op: 'eq', value: 'gold' }, 'unknown'],
    [{ attr: 'profile.customFields.constructor', op: 'isUnset' }, 'true'],
    [{ attr: 'tags', op: 'hasNone', value: ['x'] }, 'true'],
    [{ attr: 'tags', op: 'sizeGte', value: 1 }, 'false'],
    [{ attr: 'profile.gender', op: 'neq', value: 'x' }, 'unknown'],
  ])('%j is %s', (leaf, expected) => expect(truth(leaf, said, now)).toBe(expected));

  it('divides all contacts evenly, by seed', () => {
    const parts = Array.from({ length: 2_000 }, (_, n) => bucketOf('seed', `c${n}`));
    const within = parts.filter((part) => part < 10).length;
    expect(within).toBeGreaterThan(120);
    expect(within).toBeLessThan(290);
    expect(parts.every((part) => part >= 0 && part < 100)).toBe(true);
    expect(bucketOf('seed', 'c1')).toBe(parts[1]);
  });
});

describe('an explanation', () => {
  it('names truths, values and the events behind them', () => {
    const facts = contact({
      attributes: { 'profile.gender': 'female', 'profile.birthday': '1990-05-17' },
      facts: [bought('2024-01-01T00:00:00Z'), bought('2024-02-01T00:00:00Z')],
    });
    const parsed = parseRule({
      all: [
        { attr: 'profile.gender', op: 'eq', value: 'female' },
        {
          any: [
            { event: 'PurchaseRecorded', window: { last: 'P30D' } },
            { not: { attr: 'age', op: 'lt', value: 30 } },
          ],
        },
      ],
    });
    expect(explain(parsed, facts, new Date('2024-02-15'))).toEqual({
      pointer: '/root',
      truth: 'true',
      children: [
        { pointer: '/root/all/0', truth: 'true', value: 'female', evidence: ['e-profile.gender'] },
        {
          pointer: '/root/all/1',
          truth: 'true',
          children: [
            {
              pointer: '/root/all/1/any/0',
              truth: 'true',
              value: 1,
              evidence: ['PurchaseRecorded@2024-02-01T00:00:00Z'],
            },
            {
              pointer: '/root/all/1/any/1',
              truth: 'true',
              children: [
                {
                  pointer: '/root/all/1/any/1/not',
                  truth: 'false',
                  value: 33,
                  evidence: ['e-profile.birthday'],
                },
              ],
            },
          ],
        },
      ],
    });
  });
});

it('ranks by a figure, and takes in whoever is at the cut-off', () => {
  const parsed = parseRule({ ranked: { by: 'purchases.spend', currency: 'EUR', top: 10 } });
  const facts = contact({ facts: [bought('2024-01-01T00:00:00Z', 500)] });
  const now = new Date('2024-02-01');
  expect(rankingFigure(parsed, facts, now)).toBe(500);
  const at = (cutOff?: number | null) =>
    evaluate(parsed, facts, now, cutOff === undefined ? {} : { cutOff }).truth;
  expect([at(500), at(501), at(null), at()]).toEqual(['true', 'false', 'false', 'unknown']);
});

it('goes on to what can still change, where one false part keeps the whole false', () => {
  const facts = contact({
    facts: [bought('2024-01-01T00:00:00Z')],
    attributes: { 'profile.gender': 'male' },
  });
  const female = { attr: 'profile.gender', op: 'eq', value: 'female' };
  const recent = { event: 'PurchaseRecorded', window: { last: 'P30D' } };
  const next = (root: object) => evaluate(parseRule(root), facts, new Date('2024-01-02')).nextChangeAt;
  expect(next({ all: [female, recent] })).toBeNull();
  expect(next({ any: [female, recent] })).toBe('2024-01-31T00:00:00.000Z');
  const lately = { event: 'PurchaseRecorded', window: { last: 'P10D' } };
  expect(next({ any: [recent, lately] })).toBe('2024-01-31T00:00:00.000Z');
  expect(next({ all: [recent, lately] })).toBe('2024-01-11T00:00:00.000Z');
});
