import { anyRule } from '@app/testing';
import fc from 'fast-check';
import { canonicalText, ruleHash } from './canonical';
import { parseRule } from './parse-rule';

const hash = (rule: object): string => ruleHash(parseRule(rule));

/** The same JSON with its keys the other way round. */
const turned = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, part]) => [name, turned(part)]),
  );
};

it('is the same for rules that say the same', () => {
  const same = (one: object, other: object) => expect(hash(one)).toBe(hash(other));
  const a = { attr: 'age', op: 'gt', value: 1 };
  const b = { everyone: true };
  same({ all: [a, b] }, { all: [b, a] });
  same({ any: [a, b, a] }, { any: [b, a] });
  same(a, { dsl: 1, tz: 'utc', weekStart: 'MO', root: a });
  same(
    { event: 'CheckedIn' },
    { event: 'CheckedIn', count: { op: 'gte', value: 1 }, window: { ever: true } },
  );
  same(
    { since: 'lastActivity', op: 'gt', value: 'P4W', never: 'match' },
    { since: 'lastActivity', op: 'gt', value: 'P28D', never: 'match' },
  );
  same(
    { attr: 'tags', op: 'hasAny', value: ['x', 'y', 'x'] },
    { attr: 'tags', op: 'hasAny', value: ['y', 'x'] },
  );
  same({ attr: 'age', op: 'eq', value: -0 }, { attr: 'age', op: 'eq', value: 0 });
  same(
    { event: 'CheckedIn', window: { period: 'day' } },
    { event: 'CheckedIn', window: { offset: 0, axis: 'occurred', period: 'day' } },
  );
  same(
    { ranked: { by: 'points.balance', top: 5 }, refresh: 'P1D' },
    { dsl: 1, root: { ranked: { by: 'points.balance', pool: 'main', top: 5 } } },
  );
});

it('tells rules apart that do not', () => {
  const differ = (one: object, other: object) => expect(hash(one)).not.toBe(hash(other));
  const a = { attr: 'age', op: 'gt', value: 1 };
  differ({ all: [a] }, { any: [a] });
  differ({ all: [a] }, a);
  differ({ attr: 'age', op: 'between', value: [1, 2] }, { attr: 'age', op: 'between', value: [2, 2] });
  differ({ event: 'CheckedIn', window: { last: 'P1D' } }, { event: 'CheckedIn', window: { last: 'PT24H' } });
  differ({ dsl: 1, tz: 'Europe/Vienna', root: a }, a);
  differ({ dsl: 1, weekStart: 'SU', root: a }, a);
});

it('comes from a form that is a rule itself, whatever the order of keys', () => {
  fc.assert(
    fc.property(anyRule, (input) => {
      const rule = parseRule(input);
      expect(parseRule(rule)).toEqual(rule);
      expect(canonicalText(parseRule(turned(input)))).toBe(canonicalText(rule));
      expect(ruleHash(parseRule(JSON.parse(canonicalText(rule))))).toBe(ruleHash(rule));
      expect(ruleHash(rule)).toMatch(/^[0-9a-f]{64}$/);
    }),
  );
});
