import fc from 'fast-check';
import { parseRule } from './parse-rule';
import { InvalidRuleError } from './rule.errors';

const leaf = { attr: 'profile.gender', op: 'eq', value: 'female' };

const refusal = (input: unknown): { code: string; pointer: string } => {
  try {
    parseRule(input, '/filter');
  } catch (error) {
    if (error instanceof InvalidRuleError) return { code: error.code, pointer: error.pointer };
    throw error;
  }
  throw new Error('It was taken.');
};

const nested = (depth: number): object => (depth === 1 ? leaf : { not: nested(depth - 1) });

describe('a rule', () => {
  it('is a node, or a node with the version of the language around it', () => {
    expect(parseRule(leaf)).toEqual({ dsl: 1, tz: 'UTC', weekStart: 'MO', root: leaf });
    expect(parseRule({ dsl: 1, tz: 'Europe/Vienna', weekStart: 'SU', root: { all: [leaf] } })).toEqual({
      dsl: 1,
      tz: 'Europe/Vienna',
      weekStart: 'SU',
      root: { all: [leaf] },
    });
  });

  it('comes out in one form however it is written', () => {
    const one = parseRule({ value: 'female', op: 'eq', attr: 'profile.gender' });
    expect(JSON.stringify(one)).toBe(JSON.stringify(parseRule(leaf)));
    const metric = { metric: 'points.balance', op: 'gte', value: 5 };
    expect(JSON.stringify(parseRule(metric))).toBe(JSON.stringify(parseRule({ pool: 'main', ...metric })));
    const at = (value: string) => JSON.stringify(parseRule({ attr: 'registeredAt', op: 'before', value }));
    expect(at('2024-01-01T01:00:00+01:00')).toBe(at('2024-01-01T00:00:00Z'));
  });

  it('is at most 8 deep and has at most 64 leaves', () => {
    expect(parseRule(nested(8))).toBeDefined();
    expect(refusal(nested(9))).toEqual({ code: 'rules.too-deep', pointer: `/filter${'/not'.repeat(8)}` });
    expect(parseRule({ any: Array(64).fill(leaf) })).toBeDefined();
    expect(refusal({ any: Array(65).fill(leaf) })).toEqual({
      code: 'rules.too-many-leaves',
      pointer: '/filter/any/64',
    });
  });

  it('is refused in time however deep it is', () => {
    let deep: object = leaf;
    for (let depth = 0; depth < 200_000; depth += 1) deep = { not: deep };
    expect(refusal(deep).code).toBe('rules.too-deep');
  });

  it.each([
    [null, 'node-expected', ''],
    ['x', 'node-expected', ''],
    [[leaf], 'node-expected', ''],
    [{}, 'unknown-node', ''],
    [{ $where: '1' }, 'unknown-node', ''],
    [{ all: [] }, 'empty', '/all'],
    [{ any: leaf }, 'list-expected', '/any'],
    [{ not: [leaf] }, 'node-expected', '/not'],
    [{ all: [leaf], any: [leaf] }, 'unknown-field', '/any'],
    [{ all: [leaf, { not: { ...leaf, op: 'like' } }] }, 'unknown-operator', '/all/1/not/op'],
    [{ ...leaf, extra: 1 }, 'unknown-field', '/extra'],
    [{ ...leaf, 'a/b~c': 1 }, 'unknown-field', '/a~1b~0c'],
    [JSON.parse('{"__proto__":{"attr":"tags"}}'), 'unknown-node', ''],
    [JSON.parse('{"attr":"tags","op":"hasAny","value":["x"],"__proto__":1}'), 'unknown-field', '/__proto__'],
    [{ ...leaf, attr: 'profile.password' }, 'unknown-attribute', '/attr'],
    [{ ...leaf, attr: 'toString' }, 'unknown-attribute', '/attr'],
    [{ ...leaf, attr: { $gt: '' } }, 'unknown-attribute', '/attr'],
    [{ ...leaf, value: { $gt: '' } }, 'text-expected', '/value'],
    [{ ...leaf, value: '' }, 'empty', '/value'],
    [{ ...leaf, value: 'x'.repeat(321) }, 'too-long', '/value'],
    [{ ...leaf, value: 'a\0b' }, 'characters', '/value'],
    [{ ...leaf, op: 'in', value: ['a', '\ud83d'] }, 'characters', '/value/1'],
    [{ ...leaf, op: 'in', value: [] }, 'empty', '/value'],
    [{ ...leaf, op: 'in', value: ['a', 1] }, 'text-expected', '/value/1'],
    [{ ...leaf, op: 'in', value: Array(1_001).fill('a') }, 'too-many-values', '/value'],
    [{ ...leaf, op: 'isSet' }, 'value-not-expected', '/value'],
    [{ attr: 'age', op: 'eq', value: '18' }, 'integer-expected', '/value'],
    [{ attr: 'age', op: 'between', value: [30, 20] }, 'bounds-order', '/value'],
    [{ attr: 'age', op: 'between', value: [30] }, 'bounds-expected', '/value'],
    [{ attr: 'profile.birthday', op: 'before', value: '2023-02-29' }, 'date-expected', '/value'],
    [{ attr: 'profile.birthday', op: 'before', value: '2023-2-9' }, 'date-expected', '/value'],
    [{ attr: 'registeredAt', op: 'after', value: '2023-01-01' }, 'time-expected', '/value'],
    [{ attr: 'registeredAt', op: 'after', value: '2023-13-01T00:00:00Z' }, 'time-expected', '/value'],
    [{ attr: 'tags', op: 'isSet' }, 'unknown-operator', '/op'],
    [{ metric: 'points.lifetime', op: 'eq', value: 1 }, 'unknown-metric', '/metric'],
    [{ metric: 'points.balance', pool: 'a.b', op: 'eq', value: 1 }, 'pool', '/pool'],
    [{ metric: 'points.balance', op: 'eq', value: 1.5 }, 'integer-expected', '/value'],
    [{ metric: 'purchases.spend', op: 'eq', value: 1 }, 'currency', '/currency'],
    [{ metric: 'purchases.count', currency: 'EUR', op: 'eq', value: 1 }, 'unknown-field', '/currency'],
    [{ ...leaf, op: 'contains', value: '' }, 'empty', '/value'],
    [{ ...leaf, op: 'matches', value: '^a' }, 'unknown-operator', '/op'],
    [{ attr: 'tags', op: 'sizeGte', value: -1 }, 'out-of-range', '/value'],
    [{ attr: 'tenure', op: 'eq', value: 'P1D' }, 'unknown-operator', '/op'],
    [{ attr: 'tenure', op: 'gt', value: 30 }, 'duration-expected', '/value'],
    [{ attr: 'tenure', op: 'between', value: ['P2D', 'P1D'] }, 'bounds-order', '/value'],
    [{ attr: 'profile.birthday', op: 'olderThan', value: 'PT1H' }, 'days-expected', '/value'],
    [{ attr: 'registeredAt', op: 'olderThan', value: 'P0D' }, 'empty', '/value'],
    [{ attr: 'registeredAt', op: 'inPeriod', value: { period: 'decade' } }, 'period', '/value/period'],
    [
      { attr: 'registeredAt', op: 'inPeriod', value: { period: 'day', offset: 0.5 } },
      'integer-expected',
      '/value/offset',
    ],
    [{ attr: 'profile.customFields.', op: 'isSet' }, 'unknown-attribute', '/attr'],
    [{ attr: 'profile.customFields.a.b', op: 'isSet' }, 'unknown-attribute', '/attr'],
    [{ attr: 'profile.customFields.$where', op: 'isSet' }, 'unknown-attribute', '/attr'],
    [{ attr: 'profile.customFields.x', op: 'eq', value: null }, 'text-expected', '/value'],
    [{ attr: 'profile.customFields.x', op: 'gt', value: 'a' }, 'number-expected', '/value'],
    [
      { metric: 'purchases.spend', currency: 'EUR', op: 'gt', value: { minor: 1, currency: 'USD' } },
      'currencies-differ',
      '/value/currency',
    ],
    [{ metric: 'purchases.count', op: 'isSet' }, 'unknown-operator', '/op'],
    [{ metric: 'points.expiringWithin', op: 'gt', value: 1 }, 'duration-expected', '/within'],
    [
      { metric: 'points.expiringWithin', within: 'P1D', op: 'gt', value: 1, window: { ever: true } },
      'unknown-field',
      '/window',
    ],
    [{ metric: 'purchases.shareAt', op: 'gt', value: 1 }, 'text-expected', '/locationId'],
    [{ event: 'toString' }, 'unknown-event', '/event'],
    [{ event: 'CheckedIn', where: [] }, 'empty', '/where'],
    [
      { event: 'CheckedIn', where: Array(17).fill({ path: 'locationId', op: 'isSet' }) },
      'too-many-values',
      '/where',
    ],
    [{ event: 'CheckedIn', where: [{ path: 'note', op: 'isSet' }] }, 'unknown-path', '/where/0/path'],
    [{ event: 'CheckedIn', where: [{ path: 'locationId', op: 'in', value: [] }] }, 'empty', '/where/0/value'],
    [
      { event: 'CheckedIn', where: [{ path: 'points', op: 'eq', value: '1' }] },
      'integer-expected',
      '/where/0/value',
    ],
    [{ event: 'CheckedIn', count: { op: 'gte', value: -1 } }, 'out-of-range', '/count/value'],
    [{ event: 'CheckedIn', count: { op: 'neq', value: 1 } }, 'unknown-operator', '/count/op'],
    [
      { event: 'CheckedIn', count: { op: 'eq', value: 0 }, window: { last: 'P1D' } },
      'require-tenure',
      '/requireTenure',
    ],
    [
      { event: 'CheckedIn', count: { op: 'lt', value: 2 }, window: { period: 'day' } },
      'require-tenure',
      '/requireTenure',
    ],
    [{ event: 'CheckedIn', requireTenure: 1 }, 'boolean-expected', '/requireTenure'],
    [{ event: 'CheckedIn', window: {} }, 'window', '/window'],
    [{ event: 'CheckedIn', window: { last: 'P0D' } }, 'empty', '/window/last'],
    [{ event: 'CheckedIn', window: { last: 'P30D', period: 'day' } }, 'unknown-field', '/window/period'],
    [{ event: 'CheckedIn', window: { last: 'P30D', axis: 'both' } }, 'axis', '/window/axis'],
    [{ event: 'CheckedIn', window: { from: '2024-02-01', to: '2024-02-01' } }, 'bounds-order', '/window/to'],
    [{ event: 'CheckedIn', window: { from: '2024-02-30' } }, 'time-expected', '/window/from'],
    [{ event: 'CheckedIn', window: { ever: false } }, 'window', '/window'],
    [{ event: 'CheckedIn', then: { event: 'CheckedIn' } }, 'unknown-field', '/then'],
    [{ lastEvent: 'CheckedIn' }, 'list-expected', '/has'],
    [{ since: 'lastActivity', op: 'gt', value: 'P30D' }, 'never', '/never'],
    [{ since: 'lastMoon', op: 'gt', value: 'P30D', never: 'match' }, 'unknown-recency', '/since'],
    [{ anniversary: 'profile.gender', to: 'P0D' }, 'unknown-attribute', '/anniversary'],
    [{ anniversary: 'profile.birthday' }, 'duration-expected', '/to'],
    [{ anniversary: 'profile.birthday', to: 'PT1H' }, 'days-expected', '/to'],
    [{ anniversary: 'profile.birthday', from: 'P7D', to: 'P1D' }, 'bounds-order', '/to'],
    [{ anniversary: 'profile.birthday', window: { last: 'P1D' } }, 'window', '/window'],
    [{ anniversary: 'profile.birthday', to: 'P1D', feb29: 'never' }, 'feb29', '/feb29'],
    [{ consent: 'marketing', op: 'granted' }, 'consent', '/consent'],
    [{ consent: 'marketing.fax', op: 'granted' }, 'consent', '/consent'],
    [{ consent: 'marketing.email', op: 'eq' }, 'unknown-operator', '/op'],
    [{ reachable: 'fax' }, 'unknown-channel', '/reachable'],
    [{ segment: '', op: 'in' }, 'empty', '/segment'],
    [{ segment: 's', op: 'inFor' }, 'duration-expected', '/value'],
    [{ bucket: 's', from: 10, to: 10 }, 'bounds-order', '/to'],
    [{ bucket: 's', from: 0, to: 101 }, 'out-of-range', '/to'],
    [{ everyone: false }, 'everyone', '/everyone'],
    [{ ranked: { by: 'points.balance' } }, 'ranked', '/ranked'],
    [{ ranked: { by: 'points.balance', top: 1, topPercent: 1 } }, 'ranked', '/ranked'],
    [{ ranked: { by: 'points.balance', top: 0 } }, 'out-of-range', '/ranked/top'],
    [{ ranked: { by: 'age', top: 1 } }, 'unknown-metric', '/ranked/by'],
    [{ not: { ranked: { by: 'points.balance', top: 1 } } }, 'ranked-not-at-root', '/not'],
    [{ dsl: 1, root: leaf, refresh: 'P1D' }, 'unknown-field', '/refresh'],
    [{ dsl: 2, root: leaf }, 'version', '/dsl'],
    [{ dsl: 1 }, 'node-expected', '/root'],
    [{ dsl: 1, tz: 'Mars/Base', root: leaf }, 'time-zone', '/tz'],
    [{ dsl: 1, weekStart: 'XX', root: leaf }, 'week-start', '/weekStart'],
    [{ dsl: 1, root: { all: [{ ...leaf, op: 5 }] } }, 'unknown-operator', '/root/all/0/op'],
  ])('%j is refused: %s at %s', (input, code, pointer) =>
    expect(refusal(input)).toEqual({ code: `rules.${code}`, pointer: `/filter${pointer}` }),
  );

  it('takes a custom field by its type, where types are known', () => {
    const customField = (name: string) => (name === 'size' ? ('number' as const) : undefined);
    const parse = (field: string, value: unknown) =>
      parseRule({ attr: `profile.customFields.${field}`, op: 'eq', value }, '', { customField });
    expect(parse('size', 1.5).root).toEqual({ attr: 'profile.customFields.size', op: 'eq', value: 1.5 });
    expect(() => parse('size', '1')).toThrow('A number is expected.');
    expect(() => parse('other', 1)).toThrow('There is no attribute of this name.');
  });

  it('never fails in another way, whatever JSON it is given', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (input) => {
        try {
          parseRule(input);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidRuleError);
        }
      }),
    );
  });
});
