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
    [{ dsl: 2, root: leaf }, 'version', '/dsl'],
    [{ dsl: 1 }, 'node-expected', '/root'],
    [{ dsl: 1, tz: 'Mars/Base', root: leaf }, 'time-zone', '/tz'],
    [{ dsl: 1, weekStart: 'XX', root: leaf }, 'week-start', '/weekStart'],
    [{ dsl: 1, root: { all: [{ ...leaf, op: 5 }] } }, 'unknown-operator', '/root/all/0/op'],
  ])('%j is refused: %s at %s', (input, code, pointer) =>
    expect(refusal(input)).toEqual({ code: `rules.${code}`, pointer: `/filter${pointer}` }),
  );

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
