import { lintRule } from './lint';
import { InvalidRuleError } from './rule.errors';
import { RULE_TEMPLATES, templateRule } from './templates';

const context = {
  tz: 'Europe/Vienna',
  rewardPrice: (id: string) => (id === 'r1' ? { pool: 'vip', points: 500 } : undefined),
};

const refusal = (name: unknown, params: unknown): string => {
  try {
    templateRule(name, params, context);
  } catch (error) {
    if (error instanceof InvalidRuleError) return `${error.code.slice(6)} ${error.pointer}`;
    throw error;
  }
  return 'taken';
};

it.each<[string, object | undefined, object]>([
  ['newCustomers', { days: 14 }, { attr: 'registeredAt', op: 'newerThan', value: 'P14D' }],
  ['newCustomers', undefined, { attr: 'registeredAt', op: 'newerThan', value: 'P30D' }],
  [
    'topCustomers',
    { top: 100 },
    { ranked: { by: 'points.balance', pool: 'main', refresh: 'P1D', top: 100 } },
  ],
  [
    'topCustomers',
    { by: 'spend', topPercent: 10, currency: 'USD' },
    { ranked: { by: 'purchases.spend', currency: 'USD', refresh: 'P1D', topPercent: 10 } },
  ],
  [
    'topCustomers',
    { by: 'spend', atLeast: 5_000 },
    { metric: 'purchases.spend', currency: 'EUR', op: 'gte', value: 5_000 },
  ],
  ['birthdayToday', {}, { anniversary: 'profile.birthday', feb29: 'feb28', from: 'P0D', to: 'P0D' }],
  [
    'birthdayThisMonth',
    {},
    { anniversary: 'profile.birthday', feb29: 'feb28', window: { period: 'month', offset: 0 } },
  ],
  [
    'birthdayNext',
    { days: 10 },
    { anniversary: 'profile.birthday', feb29: 'feb28', from: 'P0D', to: 'P10D' },
  ],
  ['inactive', { days: 60 }, { since: 'lastActivity', op: 'gte', value: 'P60D', never: 'match' }],
  [
    'almostAtReward',
    { rewardId: 'r1', within: 50 },
    { metric: 'points.balance', pool: 'vip', op: 'between', value: [450, 499] },
  ],
  [
    'almostAtReward',
    { rewardId: 'r1', within: 900 },
    { metric: 'points.balance', pool: 'vip', op: 'between', value: [0, 499] },
  ],
  ['byLanguage', { language: 'de' }, { attr: 'profile.language', op: 'eq', value: 'de' }],
  ['byGender', { gender: 'female' }, { attr: 'profile.gender', op: 'eq', value: 'female' }],
  ['byAgeBand', { from: 30, to: 39 }, { attr: 'age', op: 'between', value: [30, 39] }],
  ['reachable', { channel: 'push' }, { reachable: 'push' }],
  [
    'redeemedReward',
    { rewardId: 'r1' },
    {
      event: 'RewardRedeemed',
      where: [{ path: 'rewardId', op: 'eq', value: 'r1' }],
      count: { op: 'gte', value: 1 },
      window: { ever: true },
    },
  ],
])('%s of %j is a rule', (name, params, root) => {
  const rule = templateRule(name, params, context);
  expect(rule).toEqual({ dsl: 1, tz: 'Europe/Vienna', weekStart: 'MO', root });
  expect(lintRule(rule).filter(({ level }) => level === 'error')).toEqual([]);
});

it.each([
  ['nothing', {}, 'unknown-template /template'],
  ['toString', {}, 'unknown-template /template'],
  ['newCustomers', { days: 0 }, 'out-of-range /params/days'],
  ['newCustomers', { days: '7' }, 'out-of-range /params/days'],
  ['newCustomers', { weeks: 1 }, 'unknown-field /params'],
  ['newCustomers', [], 'template-params /params'],
  ['topCustomers', {}, 'template-params /params'],
  ['topCustomers', { top: 1, atLeast: 1 }, 'template-params /params'],
  ['topCustomers', { top: 1, by: 'luck' }, 'unknown-choice /params/by'],
  ['almostAtReward', { rewardId: 'gone' }, 'unknown-reward /params/rewardId'],
  ['redeemedReward', {}, 'text-expected /params/rewardId'],
  ['byGender', {}, 'unknown-choice /params/gender'],
  ['byAgeBand', { from: 40, to: 30 }, 'bounds-order /params/to'],
])('%s of %j is refused', (name, params, expected) => expect(refusal(name, params)).toBe(expected));

it('describes each in a line', () => {
  expect(RULE_TEMPLATES).toHaveLength(12);
  for (const { name, description, params } of RULE_TEMPLATES) {
    expect(name).toMatch(/^[a-z][A-Za-z]+$/);
    expect(description).toMatch(/^[^\n]{5,120}\.$/);
    expect(JSON.parse(JSON.stringify(params))).toEqual(params);
  }
});
