import { anyRule } from '@app/testing';
import fc from 'fast-check';
import { evaluate } from './evaluate';
import { HistoryFacts } from './history.facts';
import { lintRule } from './lint';
import { parseRule } from './parse-rule';

const findings = (rule: object): string[] =>
  lintRule(parseRule(rule)).map(({ level, code, pointer }) => `${level} ${code.slice(6)} ${pointer}`);

const gender = (op: string, value?: unknown) => ({
  attr: 'profile.gender',
  op,
  ...(value !== undefined && { value }),
});
const age = (op: string, value: unknown) => ({ attr: 'age', op, value });
const tags = (op: string, ...value: string[]) => ({ attr: 'tags', op, value });
const bought = (op: string, value: unknown, rest: object = {}) => ({
  event: 'PurchaseRecorded',
  count: { op, value },
  ...rest,
});
const tenure = (op: string, value: string) => ({ attr: 'tenure', op, value });
const average = (op: string, value: number) => ({ metric: 'purchases.average', currency: 'EUR', op, value });

describe('the linter', () => {
  it.each<[object, string[]]>([
    [{ all: [gender('eq', 'female'), gender('eq', 'male')] }, ['error contradictory /root']],
    [
      { all: [gender('in', ['a', 'b']), { all: [gender('notIn', ['a']), gender('neq', 'b')] }] },
      ['error contradictory /root'],
    ],
    [
      { any: [gender('eq', 'male'), { all: [gender('isUnset'), gender('eq', 'x')] }] },
      ['error contradictory /root/any/1'],
    ],
    [{ all: [gender('isSet'), gender('isUnset')] }, ['error contradictory /root', 'warning full-scan /root']],
    [{ all: [age('gt', 30), age('lt', 31)] }, ['error contradictory /root']],
    [{ all: [age('gte', 30), age('lte', 30)] }, []],
    [age('lt', 0), ['error contradictory /root']],
    [bought('gte', 0), ['error always-true /root', 'warning full-scan /root']],
    [bought('lt', 0), ['error contradictory /root']],
    [{ all: [bought('gte', 3), { not: bought('gte', 2) }] }, ['error contradictory /root']],
    [
      { any: [bought('gte', 2), { not: bought('gte', 2) }] },
      ['error always-true /root', 'warning full-scan /root'],
    ],
    [{ any: [bought('gte', 2), bought('lt', 3, { requireTenure: true })] }, ['warning full-scan /root']],
    [{ metric: 'points.balance', op: 'lt', value: 0 }, ['error contradictory /root']],
    [{ metric: 'points.balance', op: 'lt', value: 0, window: { last: 'P1D' } }, []],
    [{ any: [gender('isSet'), gender('isUnset')] }, ['error always-true /root', 'warning full-scan /root']],
    [{ any: [gender('eq', 'a'), gender('neq', 'a')] }, ['warning full-scan /root']],
    [
      { any: [gender('neq', 'a'), gender('neq', 'b')] },
      ['error negatives-under-any /root', 'warning full-scan /root'],
    ],
    [
      { any: [gender('notIn', ['a']), { any: [{ not: gender('eq', 'b') }] }] },
      ['error negatives-under-any /root', 'warning full-scan /root'],
    ],
    [{ all: [gender('neq', 'a'), gender('neq', 'b')] }, ['warning full-scan /root']],
    [
      { any: [gender('neq', 'a'), { attr: 'profile.language', op: 'neq', value: 'de' }] },
      ['warning full-scan /root'],
    ],
    [{ all: [tags('hasAll', 'a', 'b'), tags('hasNone', 'b')] }, ['error contradictory /root']],
    [
      { all: [tags('hasAny', 'a', 'b'), { not: tags('hasAny', 'a', 'b', 'c') }] },
      ['error contradictory /root'],
    ],
    [{ all: [tags('hasAny', 'a', 'b'), tags('hasNone', 'b')] }, []],
    [
      {
        all: [
          { segment: 's', op: 'in' },
          { segment: 's', op: 'notIn' },
        ],
      },
      ['error contradictory /root'],
    ],
    [
      {
        any: [
          { segment: 's', op: 'in' },
          { segment: 's', op: 'notIn' },
        ],
      },
      ['error always-true /root', 'warning full-scan /root'],
    ],
    [{ all: [tenure('gt', 'P1Y'), tenure('lt', 'P30D')] }, ['error contradictory /root']],
    [{ all: [tenure('gt', 'P30D'), tenure('lt', 'P1M')] }, []],
    [{ any: [tenure('lt', 'P30D'), tenure('gt', 'P31D')] }, []],
    [{ all: [{ not: average('lte', 5) }, { not: average('gte', 6) }] }, ['warning full-scan /root']],
    [{ all: [average('gte', 7), average('lte', 6)] }, ['error contradictory /root']],
    [{ not: { everyone: true } }, ['error contradictory /root', 'warning full-scan /root']],
    [{ everyone: true }, []],
    [
      { any: [gender('eq', 'a'), { everyone: true }] },
      ['error always-true /root', 'warning full-scan /root'],
    ],
    [{ bucket: 's', from: 0, to: 100 }, ['error always-true /root']],
    [bought('gte', 1, { window: { last: 'PT59M' } }), ['warning short-window /root/window']],
    [bought('gte', 1, { window: { last: 'PT1H' } }), []],
    [{ all: [gender('eq', 'female'), { not: gender('eq', 'female') }] }, ['error contradictory /root']],
    [
      bought('gte', 1, { where: [{ path: 'amount.minor', op: 'gt', value: 5 }] }),
      ['warning any-currency /root/where/0'],
    ],
    [
      bought('gte', 1, {
        where: [
          { path: 'amount.minor', op: 'gt', value: 5 },
          { path: 'amount.currency', op: 'eq', value: 'EUR' },
        ],
      }),
      [],
    ],
    [{ ranked: { by: 'points.balance', top: 100 } }, []],
    [{ attr: 'profile.firstName', op: 'in', value: ['MÜLLER', 'x'] }, []],
    [
      {
        all: [
          { attr: 'profile.firstName', op: 'eq', value: 'MÜLLER' },
          { attr: 'profile.firstName', op: 'eq', value: 'muller' },
        ],
      },
      [],
    ],
  ])('of %j finds %j', (rule, expected) => expect(findings(rule)).toEqual(expected));

  it('is right about what it calls contradictory or always true', () => {
    const histories = ['female', undefined].flatMap((value) =>
      [[], ['vip', '$gt']].map(
        (list) =>
          new HistoryFacts({
            contactId: 'c1',
            registeredAt: '2024-01-01T00:00:00.000Z',
            attributes: {
              tags: { value: list },
              source: { value: 'app' },
              registeredAt: { value: '2024-01-01T00:00:00.000Z' },
              'profile.birthday': { value: '1990-05-17' },
              ...(value !== undefined && { 'profile.gender': { value } }),
            },
            consents: [],
            devices: [],
            lots: [],
            facts: [],
          }),
      ),
    );
    fc.assert(
      fc.property(anyRule, fc.integer({ min: 0, max: 800 }), (input, days) => {
        const rule = parseRule(input);
        const [first] = lintRule(rule).filter(
          ({ level, pointer }) => level === 'error' && pointer === '/root',
        );
        if (first === undefined || first.code === 'rules.negatives-under-any') return;
        const expected = first.code === 'rules.always-true';
        for (const facts of histories) {
          const { truth } = evaluate(rule, facts, new Date(Date.parse('2024-01-01') + days * 86_400_000));
          expect([rule.root, truth === 'true']).toEqual([rule.root, expected]);
        }
      }),
      { numRuns: 1_500 },
    );
  });
});
