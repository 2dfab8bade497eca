import { Query } from 'mingo';
import { compileFilter, type RuleFields, type StoreFilter } from './compile-filter';
import { evaluate } from './evaluate';
import { HistoryFacts } from './history.facts';
import { parseRule } from './parse-rule';

const fields: RuleFields = {
  attribute: (name) => (name === 'age' ? 'birthday' : name.replaceAll('.', '_')),
  metric: ({ metric, pool, currency }) =>
    [metric, pool, currency].filter(Boolean).join('_').replaceAll('.', '_'),
};
const NOW = new Date('2024-03-01T00:30:00.000Z');

const filterOf = (rule: object, now = NOW): StoreFilter => {
  const { filter, rest } = compileFilter(parseRule(rule), fields, now);
  expect(rest).toBeNull();
  return filter;
};
const matches = (rule: object, document: object, now = NOW): boolean =>
  new Query(filterOf(rule, now) as never).test(document as never);

const gender = (op: string, value?: unknown) => ({
  attr: 'profile.gender',
  op,
  ...(value !== undefined && { value }),
});
const female = { profile_gender: 'female' };
const nobody = { profile_gender: null };

describe('truth has three values', () => {
  it.each([
    ['eq', 'female'],
    ['neq', 'female'],
    ['in', ['female']],
    ['notIn', ['female']],
    ['startsWith', 'f'],
  ])('%s is unknown where there is no value, and so is its negation', (op, value) => {
    for (const document of [nobody, {}]) {
      expect(matches(gender(op, value), document)).toBe(false);
      expect(matches({ not: gender(op, value) }, document)).toBe(false);
      expect(matches({ not: { not: gender(op, value) } }, document)).toBe(false);
    }
    expect(matches(gender(op, value), female)).not.toBe(matches({ not: gender(op, value) }, female));
  });

  it('knows presence', () => {
    expect([nobody, {}, female].map((document) => matches(gender('isUnset'), document))).toEqual([
      true,
      true,
      false,
    ]);
    expect(matches({ not: gender('isUnset') }, female)).toBe(true);
    expect(matches({ not: gender('isSet') }, {})).toBe(true);
  });

  it('combines as Kleene does', () => {
    const unknown = gender('eq', 'male');
    const yes = gender('isUnset');
    const no = gender('isSet');
    expect(matches({ any: [unknown, yes] }, nobody)).toBe(true);
    expect(matches({ any: [unknown, no] }, nobody)).toBe(false);
    expect(matches({ not: { any: [unknown, no] } }, nobody)).toBe(false);
    expect(matches({ not: { all: [unknown, no] } }, nobody)).toBe(true);
    expect(matches({ not: { all: [unknown, yes] } }, nobody)).toBe(false);
  });
});

it('takes figures over nothing for 0', () => {
  const points = (op: string, value: unknown) => ({ metric: 'points.balance', op, value });
  const tests: [string, unknown, boolean][] = [
    ['eq', 0, true],
    ['neq', 0, false],
    ['neq', 1, true],
    ['lt', 1, true],
    ['lt', 0, false],
    ['lte', 0, true],
    ['gt', -1, true],
    ['gte', 1, false],
    ['between', [-1, 1], true],
    ['notBetween', [1, 2], true],
  ];
  for (const [op, value, expected] of tests) {
    for (const document of [{}, { points_balance_main: 0 }]) {
      expect([op, value, matches(points(op, value), document)]).toEqual([op, value, expected]);
      expect(matches({ not: points(op, value) }, document)).toBe(!expected);
    }
  }
});

it('asks for the age of the day in the rule’s time zone', () => {
  const born = (birthday: string) => ({ birthday });
  const is = (op: string, value: unknown, tz = 'UTC') => ({ dsl: 1, tz, root: { attr: 'age', op, value } });
  expect(matches(is('eq', 24), born('2000-03-01'))).toBe(true);
  expect(matches(is('eq', 24), born('2000-03-02'))).toBe(false);
  // It is still 29 February there.
  expect(matches(is('eq', 24, 'America/New_York'), born('2000-03-01'))).toBe(false);
  expect(matches(is('eq', 23, 'America/New_York'), born('2000-03-01'))).toBe(true);
  expect(matches(is('eq', 24, 'America/New_York'), born('2000-02-29'))).toBe(true);
  expect(matches(is('between', [20, 24]), born('2000-03-01'))).toBe(true);
  expect(matches(is('gt', 23), born('2000-03-01'))).toBe(true);
  expect(matches(is('lt', 24), born('2000-03-01'))).toBe(false);
  expect(matches(is('gte', 5_000), born('2000-03-01'))).toBe(false);
  expect(matches(is('gte', -9_000_000_000), born('2000-03-01'))).toBe(true);
  for (const op of ['eq', 'neq', 'lt', 'gte']) {
    expect(matches(is(op, 24), {})).toBe(false);
    expect(matches({ not: is(op, 24).root }, {})).toBe(false);
  }
});

it('takes what looks like an operator for a text', () => {
  expect(filterOf(gender('eq', '$gt'))).toEqual({ profile_gender: '$gt' });
  expect(matches({ attr: 'tags', op: 'hasAll', value: ['$ne', '$gt'] }, { tags: ['$ne'] })).toBe(false);
});

describe('the rest', () => {
  const wider: RuleFields = {
    ...fields,
    count: (event) => `counts_${event}`,
    since: (name) => (name === 'lastActivity' ? 'lastActivityAt' : undefined),
  };
  const restOf = (root: object, tz = 'UTC') =>
    compileFilter(parseRule({ dsl: 1, tz, root }), wider, NOW).rest?.root ?? null;
  const window = { last: 'P30D' };
  const inactive = (value: string) => ({ since: 'lastActivity', op: 'gt', value, never: 'match' });

  it.each<[object, string]>([
    [gender('eq', 'a'), 'UTC'],
    [{ metric: 'purchases.count', op: 'gte', value: 1 }, 'UTC'],
    [{ event: 'PurchaseRecorded', count: { op: 'gte', value: 2 } }, 'UTC'],
    [{ not: { any: [gender('isUnset'), { everyone: true }] } }, 'UTC'],
    [inactive('P30D'), 'UTC'],
    [inactive('PT720H'), 'Europe/Vienna'],
    [{ attr: 'registeredAt', op: 'inPeriod', value: { period: 'month' } }, 'Europe/Vienna'],
    [{ attr: 'profile.birthday', op: 'newerThan', value: 'P7D' }, 'Europe/Vienna'],
  ])('of %j in %s is nothing', (root, tz) => expect(restOf(root, tz)).toBeNull());

  it.each<[object, string]>([
    [{ attr: 'profile.gender', op: 'contains', value: 'x' }, 'UTC'],
    [{ attr: 'tags', op: 'sizeGte', value: 2 }, 'UTC'],
    [{ attr: 'profile.customFields.size', op: 'eq', value: 'x' }, 'UTC'],
    [{ metric: 'purchases.count', op: 'gte', value: 1, window }, 'UTC'],
    [{ event: 'PurchaseRecorded', window, count: { op: 'gte', value: 1 } }, 'UTC'],
    [{ segment: 's', op: 'in' }, 'UTC'],
    [inactive('P1M'), 'UTC'],
    [inactive('P30D'), 'Europe/Vienna'],
    [{ ranked: { by: 'points.balance', pool: 'main', refresh: 'P1D', top: 5 } }, 'UTC'],
  ])('of %j in %s is all of it', (root, tz) => expect(restOf(root, tz)).toEqual(root));

  it('of `all` is what the filter does not answer', () => {
    const contains = { attr: 'profile.gender', op: 'contains', value: 'x' };
    expect(restOf({ all: [gender('neq', 'a'), contains] })).toEqual(contains);
    expect(restOf({ all: [contains, gender('neq', 'a'), contains] })).toEqual({ all: [contains, contains] });
    expect(restOf({ any: [gender('neq', 'a'), contains] })).toEqual({ any: [gender('neq', 'a'), contains] });
  });

  it('is asked only of what the filter lets through', () => {
    const { filter } = compileFilter(
      parseRule({ all: [gender('eq', 'a'), { segment: 's', op: 'in' }] }),
      wider,
      NOW,
    );
    expect(filter).toEqual({ profile_gender: 'a' });
  });

  it('is nothing where the read model answers in a way of its own', () => {
    const own: RuleFields = {
      ...wider,
      leaf: (leaf) =>
        'segment' in leaf && leaf.op === 'in'
          ? { yes: { segments: leaf.segment }, no: { segments: { $ne: leaf.segment } }, exact: true }
          : undefined,
    };
    const rule = parseRule({ not: { segment: 's', op: 'in' } });
    expect(compileFilter(rule, own, NOW)).toEqual({ filter: { segments: { $ne: 's' } }, rest: null });
  });
});

describe('how long ago something is', () => {
  const registered = '2024-01-31T12:00:00.000Z';
  const document = { registeredAt: registered };
  const facts = new HistoryFacts({
    contactId: 'c1',
    registeredAt: registered,
    attributes: { registeredAt: { value: registered } },
    consents: [],
    devices: [],
    lots: [],
    facts: [],
  });
  const own: RuleFields = {
    attribute: () => 'registeredAt',
    metric: () => undefined,
    since: () => 'registeredAt',
  };
  const leaves = ['lt', 'lte', 'gt', 'gte'].flatMap((op) => [
    { attr: 'tenure', op, value: 'P30D' },
    { attr: 'tenure', op, value: 'P1M' },
    { since: 'registration', op, value: 'PT720H', never: 'match' },
  ]);
  const asked: object[] = [
    ...leaves,
    { attr: 'tenure', op: 'between', value: ['P29D', 'P30D'] },
    { attr: 'tenure', op: 'notBetween', value: ['P30D', 'P1M'] },
    { attr: 'registeredAt', op: 'newerThan', value: 'P30D' },
    { attr: 'registeredAt', op: 'olderThan', value: 'P30D' },
    { attr: 'registeredAt', op: 'inPeriod', value: { period: 'month', offset: -1 } },
  ];

  it.each(asked.flatMap((leaf) => [leaf, { not: leaf }]))(
    'is found as it is judged, at every edge: %j',
    (root) => {
      for (const tz of ['UTC', 'Europe/Vienna']) {
        const rule = parseRule({ dsl: 1, tz, root });
        for (const edge of [
          '2024-02-29T12:00Z',
          '2024-03-01T12:00Z',
          '2024-02-02T00:00Z',
          '2024-03-01T00:00Z',
          '2024-02-29T23:00Z',
        ]) {
          for (const offMs of [-86_400_000, -3_600_000, -1, 0, 1, 3_600_000, 86_400_000]) {
            const now = new Date(Date.parse(edge) + offMs);
            const { filter, rest } = compileFilter(rule, own, now);
            const found =
              new Query(filter as never).test(document as never) &&
              (rest === null || evaluate(rest, facts, now).truth === 'true');
            expect([tz, now, found]).toEqual([tz, now, evaluate(rule, facts, now).truth === 'true']);
          }
        }
      }
    },
  );
});
