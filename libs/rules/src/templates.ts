import { invalid, parseName, type Fields } from './parse-values';
import { parseRule } from './parse-rule';
import { RULE_CHANNELS, type Rule } from './rule';

export type TemplateParam = Readonly<{
  type: 'integer' | 'text' | 'choice';
  /** A parameter without a default and not optional has to be given. */
  default?: number | string;
  optional?: true;
  min?: number;
  max?: number;
  choices?: readonly string[];
}>;

/** What a template cannot know by itself. */
export type TemplateContext = Readonly<{
  /** Time zone of dates; UTC unless told. */
  tz?: string;
  /** The price of a reward; undefined where there is none of this id. */
  rewardPrice?: (rewardId: string) => Readonly<{ pool: string; points: number }> | undefined;
}>;

export type TemplateName =
  | 'newCustomers'
  | 'topCustomers'
  | 'birthdayToday'
  | 'birthdayThisMonth'
  | 'birthdayNext'
  | 'inactive'
  | 'almostAtReward'
  | 'redeemedReward'
  | 'byLanguage'
  | 'byGender'
  | 'byAgeBand'
  | 'reachable';

export type RuleTemplate = Readonly<{
  name: TemplateName;
  description: string;
  params: Readonly<Record<string, TemplateParam>>;
}>;

type Params = Readonly<Record<string, number | string | undefined>>;
type Template = RuleTemplate & Readonly<{ root: (params: Params, context: TemplateContext) => object }>;

const days = (value: number): TemplateParam => ({ type: 'integer', default: value, min: 1, max: 3_650 });
const POINTS_MAX = 1_000_000_000;
const birthday = (rest: object): object => ({ anniversary: 'profile.birthday', feb29: 'feb28', ...rest });

const TEMPLATES: readonly Template[] = [
  {
    name: 'newCustomers',
    description: 'Registered in the last so many days.',
    params: { days: days(30) },
    root: (params) => ({ attr: 'registeredAt', op: 'newerThan', value: `P${params['days']}D` }),
  },
  {
    name: 'topCustomers',
    description: 'With the most points or the highest spend: the first so many, or all from a figure on.',
    params: {
      by: { type: 'choice', choices: ['points', 'spend'], default: 'points' },
      top: { type: 'integer', optional: true, min: 1, max: 1_000_000 },
      topPercent: { type: 'integer', optional: true, min: 1, max: 100 },
      atLeast: { type: 'integer', optional: true, min: 1, max: Number.MAX_SAFE_INTEGER },
      pool: { type: 'text', default: 'main' },
      currency: { type: 'text', default: 'EUR' },
    },
    root: (params) => {
      const { by, top, topPercent, atLeast, pool, currency } = params;
      const given = [top, topPercent, atLeast].filter((value) => value !== undefined);
      if (given.length !== 1) {
        throw invalid('template-params', '/params', 'One of top, topPercent and atLeast is expected.');
      }
      const [metric, of] =
        by === 'points'
          ? (['points.balance', { pool }] as const)
          : (['purchases.spend', { currency }] as const);
      return atLeast !== undefined
        ? { metric, ...of, op: 'gte', value: atLeast }
        : { ranked: { by: metric, ...of, ...(top !== undefined ? { top } : { topPercent }) } };
    },
  },
  {
    name: 'birthdayToday',
    description: 'Whose birthday is today.',
    params: {},
    root: () => birthday({ from: 'P0D', to: 'P0D' }),
  },
  {
    name: 'birthdayThisMonth',
    description: 'Whose birthday is in this calendar month.',
    params: {},
    root: () => birthday({ window: { period: 'month', offset: 0 } }),
  },
  {
    name: 'birthdayNext',
    description: 'Whose birthday is today or in the next so many days.',
    params: { days: { type: 'integer', default: 7, min: 1, max: 366 } },
    root: (params) => birthday({ from: 'P0D', to: `P${params['days']}D` }),
  },
  {
    name: 'inactive',
    description: 'Without any activity for so many days.',
    params: { days: days(90) },
    root: (params) => ({ since: 'lastActivity', op: 'gte', value: `P${params['days']}D`, never: 'match' }),
  },
  {
    name: 'almostAtReward',
    description: 'Who lacks at most so many points for a reward.',
    params: {
      rewardId: { type: 'text' },
      within: { type: 'integer', default: 100, min: 1, max: POINTS_MAX },
    },
    root: (params, { rewardPrice }) => {
      const price = rewardPrice?.(String(params['rewardId']));
      if (price === undefined) {
        throw invalid('unknown-reward', '/params/rewardId', 'There is no reward of this id.');
      }
      const { pool, points } = price;
      const from = Math.max(0, points - Number(params['within']));
      return { metric: 'points.balance', pool, op: 'between', value: [from, Math.max(from, points - 1)] };
    },
  },
  {
    name: 'redeemedReward',
    description: 'Who has redeemed a reward.',
    params: { rewardId: { type: 'text' } },
    root: (params) => ({
      event: 'RewardRedeemed',
      where: [{ path: 'rewardId', op: 'eq', value: params['rewardId'] }],
    }),
  },
  {
    name: 'byLanguage',
    description: 'Who speaks a language.',
    params: { language: { type: 'text' } },
    root: (params) => ({ attr: 'profile.language', op: 'eq', value: params['language'] }),
  },
  {
    name: 'byGender',
    description: 'Of a gender.',
    params: { gender: { type: 'choice', choices: ['female', 'male', 'other', 'unspecified'] } },
    root: (params) => ({ attr: 'profile.gender', op: 'eq', value: params['gender'] }),
  },
  {
    name: 'byAgeBand',
    description: 'Of an age from one to another, both included.',
    params: {
      from: { type: 'integer', default: 18, min: 0, max: 150 },
      to: { type: 'integer', default: 29, min: 0, max: 150 },
    },
    root: (params) => {
      const [from, to] = [Number(params['from']), Number(params['to'])];
      if (from > to) throw invalid('bounds-order', '/params/to', 'The lower bound comes first.');
      return { attr: 'age', op: 'between', value: [from, to] };
    },
  },
  {
    name: 'reachable',
    description: 'Who can be reached by a channel.',
    params: { channel: { type: 'choice', choices: RULE_CHANNELS } },
    root: (params) => ({ reachable: params['channel'] }),
  },
];

/** What there is to choose from, as data. */
export const RULE_TEMPLATES: readonly RuleTemplate[] = TEMPLATES.map(({ name, description, params }) => ({
  name,
  description,
  params,
}));

/**
 * The rule that a template makes of its parameters. Throws InvalidRuleError, whose pointer leads to `/template` or to
 * `/params` and into it.
 */
export const templateRule = (name: unknown, params: unknown, context: TemplateContext = {}): Rule => {
  const known = parseName(
    TEMPLATES.map((template) => template.name),
    name,
    'unknown-template',
    '/template',
  );
  const template = TEMPLATES.find((candidate) => candidate.name === known) as Template;
  const root = template.root(parseParams(params ?? {}, template.params), context);
  // What a parameter breaks in the rule (a currency that is none) is the parameter's fault.
  return parseRule({ dsl: 1, ...(context.tz !== undefined && { tz: context.tz }), root }, '/params');
};

const TEXT_MAX = 200;

const parseParams = (input: unknown, params: RuleTemplate['params']): Params => {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw invalid('template-params', '/params', 'Parameters are a JSON object.');
  }
  const fields = input as Fields;
  const unknown = Object.keys(fields).find((name) => !Object.hasOwn(params, name));
  if (unknown !== undefined) {
    throw invalid('unknown-field', '/params', `Known here: ${Object.keys(params).join(', ') || 'none'}.`);
  }
  return Object.fromEntries(
    Object.entries(params).map(([name, param]) => {
      const value = Object.hasOwn(fields, name) ? fields[name] : param.default;
      if (value === undefined && param.optional === true) return [name, undefined];
      return [name, parseParam(value, param, `/params/${name}`)];
    }),
  );
};

const parseParam = (
  value: unknown,
  { type, min = 0, max = 0, choices = [] }: TemplateParam,
  pointer: string,
) => {
  switch (type) {
    case 'integer':
      if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max) {
        throw invalid('out-of-range', pointer, `An integer from ${min} to ${max} is expected.`);
      }
      return value as number;
    case 'choice':
      return parseName(choices, value, 'unknown-choice', pointer);
    case 'text':
      if (typeof value !== 'string' || value === '' || value.length > TEXT_MAX) {
        throw invalid('text-expected', pointer, `A text of 1 to ${TEXT_MAX} characters is expected.`);
      }
      return value;
  }
};
