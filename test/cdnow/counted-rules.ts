/** The instants at which the rules are counted, with what happened until then. */
export const INSTANTS = [
  // Contacts are still coming; purchases of this very instant have happened.
  '1997-01-31T12:00:00.000Z',
  // The last day on which anybody is new. A month before it is the last day of February.
  '1997-03-31T12:00:00.000Z',
  // In New York, clocks were put forward on 6 April: 30 days are 719 hours.
  '1997-04-30T11:30:00.000Z',
  // Still 31 December in New York.
  '1998-01-01T03:00:00.000Z',
  // Purchases of the last day have happened.
  '1998-06-30T12:00:00.000Z',
] as const;

export type CountedRule = Readonly<{
  name: string;
  rule: object;
  /**
   * How it was counted: over `p`, the purchases until `:now`, and `c`, the customers whose first purchase is one of those.
   * `at` is noon UTC of the day of a purchase, `line` its line in the file.
   */
  sql: string;
  /** One for each instant. */
  counts: readonly [number, number, number, number, number];
  /** In every later year. */
  sinceThen: number;
}>;

/** `customers('count(*) >= 2')`: those whose purchases (or only some of them) come to something. */
const customers = (having: string, where = 'true'): string =>
  `select count(*) from (select customer from p where ${where} group by customer having ${having})`;

const USD = { currency: 'USD' } as const;
const NEW_YORK = { dsl: 1, tz: 'America/New_York', weekStart: 'SU' } as const;

/** What the load turns into points: one for every full dollar of a purchase. */
export const PROGRAMME = { purchases: [{ ...USD, points: 1, perMinor: 100 }], checkIn: null } as const;

/**
 * Rules over the CDNOW history, and how many match. Counted from the file itself by SQLite, with nothing of this project in
 * between: `plus_days`, `plus_months` and `plus_hours` step in UTC, `plus_days_ny` on dates of New York, `month_ny` and
 * `sunday_ny` name the month and the week that an instant has there, by the time zones of Python.
 */
export const COUNTED_RULES: readonly CountedRule[] = [
  {
    name: 'bought twice or more',
    rule: { metric: 'purchases.count', op: 'gte', value: 2 },
    sql: customers('count(*) >= 2'),
    counts: [844, 5_066, 6_532, 10_644, 11_662],
    sinceThen: 11_662,
  },
  {
    name: 'bought exactly once',
    rule: { event: 'PurchaseRecorded', count: { op: 'eq', value: 1 }, window: { ever: true } },
    sql: customers('count(*) = 1'),
    counts: [7_002, 18_504, 17_038, 12_926, 11_908],
    sinceThen: 11_908,
  },
  {
    name: 'spent 100.00 or more',
    rule: { metric: 'purchases.spend', ...USD, op: 'gte', value: 10_000 },
    sql: customers('sum(cents) >= 10000'),
    counts: [441, 2_047, 2_612, 5_220, 6_234],
    sinceThen: 6_234,
  },
  {
    name: 'average from 10.00 to 20.00',
    rule: { metric: 'purchases.average', ...USD, op: 'between', value: [1_000, 2_000] },
    sql: customers('sum(cents) >= 1000 * count(*) and sum(cents) <= 2000 * count(*)'),
    counts: [2_953, 9_080, 8_966, 8_568, 8_393],
    sinceThen: 8_393,
  },
  {
    name: 'quiet for more than 90 days',
    rule: { since: 'lastPurchase', op: 'gt', value: 'P90D', never: 'noMatch' },
    sql: customers('plus_days(max(at), 90) < :now'),
    counts: [0, 0, 5_314, 19_394, 20_253],
    sinceThen: 23_570,
  },
  {
    name: 'bought in the last 30 days of New York',
    rule: {
      ...NEW_YORK,
      root: { metric: 'purchases.count', op: 'gte', value: 1, window: { last: 'P30D' } },
    },
    sql: customers('count(*) >= 1', 'plus_days_ny(at, 30) > :now'),
    counts: [7_685, 9_214, 2_764, 1_793, 1_506],
    sinceThen: 0,
  },
  {
    name: 'bought in the last 720 hours',
    rule: { metric: 'purchases.count', op: 'gte', value: 1, window: { last: 'PT720H' } },
    sql: customers('count(*) >= 1', 'plus_hours(at, 720) > :now'),
    counts: [7_685, 9_214, 2_844, 1_793, 1_506],
    sinceThen: 0,
  },
  {
    name: 'twice or more in the last month',
    rule: { event: 'PurchaseRecorded', count: { op: 'gte', value: 2 }, window: { last: 'P1M' } },
    sql: customers('count(*) >= 2', 'plus_months(at, 1) > :now'),
    counts: [844, 1_479, 665, 410, 323],
    sinceThen: 0,
  },
  {
    name: 'spent 50.00 or more in the calendar month before, in New York',
    rule: {
      ...NEW_YORK,
      root: {
        metric: 'purchases.spend',
        ...USD,
        op: 'gte',
        value: 5_000,
        window: { period: 'month', offset: -1 },
      },
    },
    sql: customers('sum(cents) >= 5000', 'month_ny(at, 0) = month_ny(:now, -1)'),
    counts: [0, 2_101, 2_222, 752, 444],
    sinceThen: 0,
  },
  {
    name: 'bought this week, from Sunday, in New York',
    rule: { ...NEW_YORK, root: { event: 'PurchaseRecorded', window: { period: 'week', offset: 0 } } },
    sql: customers('count(*) >= 1', 'sunday_ny(at) = sunday_ny(:now)'),
    counts: [2_030, 241, 322, 219, 156],
    sinceThen: 0,
  },
  {
    name: 'a purchase of 30.00 or more in February 1997',
    rule: {
      event: 'PurchaseRecorded',
      where: [{ path: 'amount.minor', op: 'gte', value: 3_000 }],
      window: { from: '1997-02-01', to: '1997-03-01' },
    },
    sql: customers(
      'count(*) >= 1',
      "cents >= 3000 and at >= '1997-02-01T00:00:00Z' and at < '1997-03-01T00:00:00Z'",
    ),
    counts: [0, 3_661, 3_661, 3_661, 3_661],
    sinceThen: 3_661,
  },
  {
    name: 'twice or more in the first 14 days',
    rule: {
      event: 'PurchaseRecorded',
      count: { op: 'gte', value: 2 },
      window: { sinceRegistration: 'P14D' },
    },
    sql:
      'select count(*) from (select p.customer from p join c using (customer) ' +
      'where p.at < plus_days(c.registered, 14) group by p.customer having count(*) >= 2)',
    counts: [648, 2_476, 2_532, 2_532, 2_532],
    sinceThen: 2_532,
  },
  {
    name: 'nothing for half a year, known for as long',
    rule: {
      event: 'PurchaseRecorded',
      count: { op: 'eq', value: 0 },
      window: { last: 'P6M' },
      requireTenure: true,
    },
    sql:
      'select count(*) from c where plus_months(registered, 6) <= :now and not exists ' +
      '(select 1 from p where p.customer = c.customer and plus_months(p.at, 6) > :now)',
    counts: [0, 0, 0, 17_149, 18_196],
    sinceThen: 23_570,
  },
  {
    name: 'earned 100 points or more',
    rule: { metric: 'points.earned', op: 'gte', value: 100 },
    sql: customers('sum(cents / 100) >= 100'),
    counts: [437, 2_024, 2_579, 5_165, 6_150],
    sinceThen: 6_150,
  },
  {
    name: 'regulars who have not come back',
    rule: {
      all: [
        { metric: 'purchases.count', op: 'gte', value: 5 },
        { not: { since: 'lastPurchase', op: 'lte', value: 'P60D', never: 'noMatch' } },
      ],
    },
    sql: customers('count(*) >= 5 and plus_days(max(at), 60) < :now'),
    counts: [0, 5, 23, 1_119, 2_173],
    sinceThen: 3_925,
  },
  {
    name: 'big in sum, or big on average and early',
    rule: {
      any: [
        { metric: 'purchases.spend', ...USD, op: 'gte', value: 50_000 },
        {
          all: [
            { metric: 'purchases.average', ...USD, op: 'gte', value: 5_000 },
            { attr: 'registeredAt', op: 'before', value: '1997-02-01T00:00:00Z' },
          ],
        },
      ],
    },
    sql:
      'select count(*) from (select customer from p join c using (customer) group by customer having ' +
      "sum(cents) >= 50000 or (sum(cents) >= 5000 * count(*) and max(registered) < '1997-02-01T00:00:00Z'))",
    counts: [1_379, 1_369, 1_378, 1_655, 1_872],
    sinceThen: 1_872,
  },
  {
    // Who bought nothing in those days has no average, so not even one that is not 15.00.
    name: 'average in the last 90 days not 15.00 or more',
    rule: {
      not: {
        metric: 'purchases.average',
        ...USD,
        op: 'gte',
        value: 1_500,
        window: { last: 'P90D' },
      },
    },
    sql: customers('not sum(cents) >= 1500 * count(*)', 'plus_days(at, 90) > :now'),
    counts: [2_449, 7_184, 5_381, 945, 708],
    sinceThen: 0,
  },
  {
    // Of several on one day, the one further on in the file.
    name: 'last purchase of 50.00 or more',
    rule: { lastEvent: 'PurchaseRecorded', has: [{ path: 'amount.minor', op: 'gte', value: 5_000 }] },
    sql:
      'select count(*) from p where cents >= 5000 and line = ' +
      '(select q.line from p q where q.customer = p.customer order by q.at desc, q.line desc limit 1)',
    counts: [1_364, 3_794, 3_800, 3_998, 3_841],
    sinceThen: 3_841,
  },
  {
    name: 'customer for half a year, and no purchase was free of charge',
    rule: {
      all: [
        { attr: 'tenure', op: 'gte', value: 'P6M' },
        {
          not: {
            event: 'PurchaseRecorded',
            where: [{ path: 'amount.minor', op: 'eq', value: 0 }],
            window: { ever: true },
          },
        },
      ],
    },
    sql:
      'select count(*) from c where plus_months(registered, 6) <= :now and not exists ' +
      '(select 1 from p where p.customer = c.customer and cents = 0)',
    counts: [0, 0, 0, 23_497, 23_490],
    sinceThen: 23_490,
  },
];
