import { InvalidRuleError } from './rule.errors';
import {
  ATTRIBUTES,
  METRICS,
  type AttributeName,
  type AttributeType,
  type Leaf,
  type MetricName,
  type NumberTest,
  type Rule,
  type RuleNode,
  type SetTest,
  type Test,
  type TextTest,
  type TimeTest,
} from './rule';

export const RULE_DEPTH_MAX = 8;
export const RULE_LEAVES_MAX = 64;
export const RULE_VALUES_MAX = 1_000;
export const RULE_TEXT_LENGTH_MAX = 320;

const WEEK_DAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
const POOL = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const CURRENCY = /^[A-Z]{3}$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

type Fields = Readonly<Record<string, unknown>>;
type Budget = { leaves: number };

/**
 * Reads a rule from JSON values: either a node, or the whole form `{ "dsl": 1, "tz": …, "weekStart": …, "root": … }`.
 * Throws InvalidRuleError, with a JSON Pointer that starts with `pointer`, for whatever is unknown, empty, of the wrong
 * type or too large. Values are only ever values: nothing in them is taken for an operator.
 */
export const parseRule = (input: unknown, pointer = ''): Rule => {
  const budget: Budget = { leaves: 0 };
  const fields = fieldsOf(input, pointer);
  if (!Object.hasOwn(fields, 'dsl')) return { tz: 'UTC', root: parseNode(fields, pointer, 1, budget) };
  allow(fields, ['dsl', 'tz', 'weekStart', 'root'], pointer);
  if (fields['dsl'] !== 1)
    throw invalid('version', `${pointer}/dsl`, 'The version of the rule language is 1.');
  if (fields['weekStart'] !== undefined && !WEEK_DAYS.includes(fields['weekStart'] as string)) {
    throw invalid('week-start', `${pointer}/weekStart`, `One of ${WEEK_DAYS.join(', ')}.`);
  }
  return {
    tz: parseTimeZone(fields['tz'], `${pointer}/tz`),
    root: parseNode(fields['root'], `${pointer}/root`, 1, budget),
  };
};

const parseTimeZone = (value: unknown, pointer: string): string => {
  if (value === undefined) return 'UTC';
  try {
    if (typeof value === 'string') {
      return new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw invalid('time-zone', pointer, 'The name of a time zone of the IANA database is expected.');
};

const parseNode = (input: unknown, pointer: string, depth: number, budget: Budget): RuleNode => {
  if (depth > RULE_DEPTH_MAX) throw invalid('too-deep', pointer, `A rule is at most ${RULE_DEPTH_MAX} deep.`);
  const fields = fieldsOf(input, pointer);
  if (Object.hasOwn(fields, 'all')) {
    allow(fields, ['all'], pointer);
    return { all: parseNodes(fields['all'], `${pointer}/all`, depth, budget) };
  }
  if (Object.hasOwn(fields, 'any')) {
    allow(fields, ['any'], pointer);
    return { any: parseNodes(fields['any'], `${pointer}/any`, depth, budget) };
  }
  if (Object.hasOwn(fields, 'not')) {
    allow(fields, ['not'], pointer);
    return { not: parseNode(fields['not'], `${pointer}/not`, depth + 1, budget) };
  }
  budget.leaves += 1;
  if (budget.leaves > RULE_LEAVES_MAX) {
    throw invalid('too-many-leaves', pointer, `A rule has at most ${RULE_LEAVES_MAX} leaves.`);
  }
  return parseLeaf(fields, pointer);
};

const parseNodes = (input: unknown, pointer: string, depth: number, budget: Budget): RuleNode[] => {
  if (!Array.isArray(input)) throw invalid('list-expected', pointer, 'A list of nodes is expected.');
  if (input.length === 0) throw invalid('empty', pointer, 'At least one node is needed.');
  return input.map((node, index) => parseNode(node, `${pointer}/${index}`, depth + 1, budget));
};

const parseLeaf = (fields: Fields, pointer: string): Leaf => {
  if (Object.hasOwn(fields, 'attr')) {
    allow(fields, ['attr', 'op', 'value'], pointer);
    const attr = fields['attr'];
    if (typeof attr !== 'string' || !Object.hasOwn(ATTRIBUTES, attr)) {
      throw invalid('unknown-attribute', `${pointer}/attr`, 'There is no attribute of this name.');
    }
    const name = attr as AttributeName;
    return { attr: name, ...parseTest(fields, ATTRIBUTES[name], pointer) };
  }
  if (Object.hasOwn(fields, 'metric')) {
    const metric = fields['metric'];
    if (typeof metric !== 'string' || !Object.hasOwn(METRICS, metric)) {
      throw invalid('unknown-metric', `${pointer}/metric`, 'There is no metric of this name.');
    }
    const name = metric as MetricName;
    const qualifier = METRICS[name];
    allow(fields, ['metric', 'op', 'value', ...(qualifier === null ? [] : [qualifier])], pointer);
    const test = parseNumberTest(fields, pointer) ?? refuseOperator(pointer);
    if (qualifier === 'pool')
      return { metric: name, pool: parsePool(fields['pool'], `${pointer}/pool`), ...test };
    if (qualifier === 'currency') {
      const currency = fields['currency'];
      if (typeof currency !== 'string' || !CURRENCY.test(currency)) {
        throw invalid('currency', `${pointer}/currency`, 'A currency code of ISO 4217 is needed: `EUR`.');
      }
      return { metric: name, currency, ...test };
    }
    return { metric: name, ...test };
  }
  throw invalid('unknown-node', pointer, 'A node is one of: all, any, not, attr, metric.');
};

const parsePool = (value: unknown, pointer: string): string => {
  if (value === undefined) return 'main';
  if (typeof value !== 'string' || !POOL.test(value)) {
    throw invalid('pool', pointer, 'The name of a points pool is expected.');
  }
  return value;
};

const parseTest = (fields: Fields, type: AttributeType, pointer: string): Test => {
  if (type !== 'set' && (fields['op'] === 'isSet' || fields['op'] === 'isUnset')) {
    if (Object.hasOwn(fields, 'value')) {
      throw invalid('value-not-expected', `${pointer}/value`, `${fields['op']} takes no value.`);
    }
    return { op: fields['op'] };
  }
  switch (type) {
    case 'text':
    case 'folded':
      return parseTextTest(fields, pointer) ?? refuseOperator(pointer);
    case 'date':
      return parseTimeTest(fields, parseDate, pointer) ?? refuseOperator(pointer);
    case 'instant':
      return parseTimeTest(fields, parseInstant, pointer) ?? refuseOperator(pointer);
    case 'age':
      return parseNumberTest(fields, pointer) ?? refuseOperator(pointer);
    case 'set':
      return parseSetTest(fields, pointer) ?? refuseOperator(pointer);
  }
};

const parseTextTest = ({ op, value }: Fields, pointer: string): TextTest | undefined => {
  switch (op) {
    case 'eq':
    case 'neq':
    case 'startsWith':
      return { op, value: parseText(value, `${pointer}/value`) };
    case 'in':
    case 'notIn':
      return { op, value: parseTexts(value, `${pointer}/value`) };
    default:
      return undefined;
  }
};

const parseSetTest = ({ op, value }: Fields, pointer: string): SetTest | undefined => {
  switch (op) {
    case 'hasAny':
    case 'hasAll':
    case 'hasNone':
      return { op, value: parseTexts(value, `${pointer}/value`) };
    default:
      return undefined;
  }
};

const parseNumberTest = ({ op, value }: Fields, pointer: string): NumberTest | undefined => {
  switch (op) {
    case 'eq':
    case 'neq':
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
      return { op, value: parseInteger(value, `${pointer}/value`) };
    case 'between':
    case 'notBetween':
      return { op, value: parseBounds(value, parseInteger, `${pointer}/value`) };
    default:
      return undefined;
  }
};

type ParseValue<T> = (value: unknown, pointer: string) => T;

const parseTimeTest = (
  { op, value }: Fields,
  parse: ParseValue<string>,
  pointer: string,
): TimeTest | undefined => {
  switch (op) {
    case 'before':
    case 'after':
      return { op, value: parse(value, `${pointer}/value`) };
    case 'between':
      return { op, value: parseBounds(value, parse, `${pointer}/value`) };
    default:
      return undefined;
  }
};

const parseText: ParseValue<string> = (value, pointer) => {
  if (typeof value !== 'string') throw invalid('text-expected', pointer, 'A text is expected.');
  if (value.length === 0)
    throw invalid('empty', pointer, 'The text is empty; absence is asked for with isUnset.');
  if (value.length > RULE_TEXT_LENGTH_MAX) {
    throw invalid('too-long', pointer, `A text is at most ${RULE_TEXT_LENGTH_MAX} characters long.`);
  }
  return value;
};

const parseTexts = (value: unknown, pointer: string): string[] => {
  if (!Array.isArray(value)) throw invalid('list-expected', pointer, 'A list of texts is expected.');
  if (value.length === 0) throw invalid('empty', pointer, 'At least one value is needed.');
  if (value.length > RULE_VALUES_MAX) {
    throw invalid('too-many-values', pointer, `A list has at most ${RULE_VALUES_MAX} values.`);
  }
  return value.map((text, index) => parseText(text, `${pointer}/${index}`));
};

const parseInteger: ParseValue<number> = (value, pointer) => {
  if (!Number.isSafeInteger(value)) throw invalid('integer-expected', pointer, 'An integer is expected.');
  return value as number;
};

const parseDate: ParseValue<string> = (value, pointer) => {
  if (typeof value === 'string' && DATE.test(value)) {
    const time = Date.parse(`${value}T00:00:00.000Z`);
    // 30 February is read as 1 March: only what comes back as it was is a date.
    if (!Number.isNaN(time) && new Date(time).toISOString().startsWith(value)) return value;
  }
  throw invalid('date-expected', pointer, 'A date is expected: `1990-05-17`.');
};

const parseInstant: ParseValue<string> = (value, pointer) => {
  if (typeof value === 'string' && INSTANT.test(value)) {
    const time = Date.parse(value.toUpperCase());
    if (!Number.isNaN(time)) return new Date(time).toISOString();
  }
  throw invalid('time-expected', pointer, 'A time of RFC 3339 is expected: `2024-05-17T12:00:00Z`.');
};

const parseBounds = <T extends string | number>(
  value: unknown,
  parse: ParseValue<T>,
  pointer: string,
): readonly [T, T] => {
  if (!Array.isArray(value) || value.length !== 2) {
    throw invalid('bounds-expected', pointer, 'A list of the lower and the upper bound is expected.');
  }
  const from = parse(value[0], `${pointer}/0`);
  const to = parse(value[1], `${pointer}/1`);
  if (from > to) throw invalid('bounds-order', pointer, 'The lower bound comes first.');
  return [from, to];
};

const fieldsOf = (input: unknown, pointer: string): Fields => {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw invalid('node-expected', pointer, 'A node is a JSON object.');
  }
  return input as Fields;
};

const allow = (fields: Fields, names: readonly string[], pointer: string): void => {
  const unknown = Object.keys(fields).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const token = unknown.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1');
  throw invalid('unknown-field', `${pointer}/${token}`, `Known here: ${names.join(', ')}.`);
};

const refuseOperator = (pointer: string): never => {
  throw invalid('unknown-operator', `${pointer}/op`, 'There is no such operator for this type of value.');
};

const invalid = (code: string, pointer: string, detail: string): InvalidRuleError =>
  new InvalidRuleError(`rules.${code}`, pointer, detail);
