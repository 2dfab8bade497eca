import { durationParts, roughDays, type Duration } from './duration';
import {
  allow,
  fieldsOf,
  invalid,
  isDate,
  parseBoolean,
  parseBounds,
  parseDate,
  parseDateSpan,
  parseDuration,
  parseInstant,
  parseInteger,
  parseIntegerFrom,
  parseName,
  parseNumber,
  parseSpan,
  parseText,
  parseTexts,
  type Fields,
  type ParseValue,
} from './parse-values';
import {
  PERIOD_UNITS,
  type AttributeType,
  type BooleanTest,
  type CountTest,
  type CustomFieldType,
  type DurationTest,
  type NumberTest,
  type PathType,
  type Period,
  type PresenceTest,
  type SetTest,
  type Test,
  type TextTest,
  type TimeTest,
} from './rule';

/** Calendar periods that a rule can look back or ahead. */
const PERIOD_OFFSET_MAX = 120;
const TAGS_MAX = 1_000;

const ascending = (from: string | number, to: string | number): boolean => from <= to;
const longer = (from: Duration, to: Duration): boolean =>
  roughDays(durationParts(from)) <= roughDays(durationParts(to));

/** `op` and `value` of a node, by the type of what is tested; throws InvalidRuleError. */
export const parseTest = (fields: Fields, type: Exclude<AttributeType, 'custom'>, pointer: string): Test => {
  const presence = type === 'set' ? undefined : parsePresence(fields, pointer);
  return presence ?? parseTyped(fields, type, pointer) ?? refuseOperator(pointer);
};

const parseTyped = (
  fields: Fields,
  type: Exclude<AttributeType, 'custom'>,
  pointer: string,
): Test | undefined => {
  switch (type) {
    case 'text':
    case 'folded':
      return parseTextTest(fields, pointer);
    case 'date':
      return parseTimeTest(fields, parseDate, parseDateSpan, pointer);
    case 'instant':
      return parseTimeTest(fields, parseInstant, parseSpan, pointer);
    case 'age':
      return parseNumberTest(fields, parseInteger, pointer);
    case 'tenure':
      return parseDurationTest(fields, pointer);
    case 'set':
      return parseSetTest(fields, pointer);
  }
};

/** Without a known type, the value given tells it. */
export const parseCustomTest = (fields: Fields, type: CustomFieldType | undefined, pointer: string): Test => {
  const presence = parsePresence(fields, pointer);
  if (presence !== undefined) return presence;
  switch (type ?? customTypeOf(fields)) {
    case 'text':
      return parseTextTest(fields, pointer) ?? refuseOperator(pointer);
    case 'number':
      return parseNumberTest(fields, parseNumber, pointer) ?? refuseOperator(pointer);
    case 'boolean':
      return parseBooleanTest(fields, pointer) ?? refuseOperator(pointer);
    case 'date':
      return parseTimeTest(fields, parseDate, parseDateSpan, pointer) ?? refuseOperator(pointer);
    case 'set':
      return parseSetTest(fields, pointer) ?? refuseOperator(pointer);
  }
};

const SET_OPERATORS = ['hasAny', 'hasAll', 'hasNone', 'sizeGte'];
const TIME_OPERATORS = ['before', 'after', 'olderThan', 'newerThan', 'inPeriod'];

const customTypeOf = ({ op, value }: Fields): CustomFieldType => {
  if (SET_OPERATORS.includes(op as string)) return 'set';
  if (TIME_OPERATORS.includes(op as string)) return 'date';
  if (op === 'between' && Array.isArray(value) && isDate(value[0])) return 'date';
  if (['lt', 'lte', 'gt', 'gte', 'between', 'notBetween'].includes(op as string)) return 'number';
  return typeof value === 'number' ? 'number' : typeof value === 'boolean' ? 'boolean' : 'text';
};

export const parsePathTest = (fields: Fields, type: PathType, pointer: string): PathTestOf => {
  const presence = type === 'set' ? undefined : parsePresence(fields, pointer);
  if (presence !== undefined) return presence;
  switch (type) {
    case 'text':
      return parseTextTest(fields, pointer) ?? refuseOperator(pointer);
    case 'number':
      return parseNumberTest(fields, parseInteger, pointer) ?? refuseOperator(pointer);
    case 'set':
      return parseSetTest(fields, pointer) ?? refuseOperator(pointer);
  }
};
type PathTestOf = TextTest | NumberTest | SetTest | PresenceTest;

export const parsePresence = (fields: Fields, pointer: string): PresenceTest | undefined => {
  const { op } = fields;
  if (op !== 'isSet' && op !== 'isUnset') return undefined;
  if (Object.hasOwn(fields, 'value')) {
    throw invalid('value-not-expected', `${pointer}/value`, `${op} takes no value.`);
  }
  return { op };
};

const parseTextTest = ({ op, value }: Fields, pointer: string): TextTest | undefined => {
  switch (op) {
    case 'eq':
    case 'neq':
    case 'startsWith':
    case 'endsWith':
    case 'contains':
    case 'notContains':
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
    case 'sizeGte':
      return { op, value: parseIntegerFrom(0, TAGS_MAX)(value, `${pointer}/value`) };
    default:
      return undefined;
  }
};

export const parseNumberTest = (
  { op, value }: Fields,
  parse: ParseValue<number>,
  pointer: string,
): NumberTest | undefined => {
  switch (op) {
    case 'eq':
    case 'neq':
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
      return { op, value: parse(value, `${pointer}/value`) };
    case 'between':
    case 'notBetween':
      return { op, value: parseBounds(parse, ascending)(value, `${pointer}/value`) };
    default:
      return undefined;
  }
};

const parseBooleanTest = ({ op, value }: Fields, pointer: string): BooleanTest | undefined =>
  op === 'eq' ? { op, value: parseBoolean(value, `${pointer}/value`) } : undefined;

export const parseDurationTest = ({ op, value }: Fields, pointer: string): DurationTest | undefined => {
  switch (op) {
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
      return { op, value: parseDuration(value, `${pointer}/value`) };
    case 'between':
    case 'notBetween':
      return { op, value: parseBounds(parseDuration, longer)(value, `${pointer}/value`) };
    default:
      return undefined;
  }
};

const parseTimeTest = (
  { op, value }: Fields,
  parse: ParseValue<string>,
  span: ParseValue<Duration>,
  pointer: string,
): TimeTest | undefined => {
  switch (op) {
    case 'before':
    case 'after':
      return { op, value: parse(value, `${pointer}/value`) };
    case 'between':
      return { op, value: parseBounds(parse, ascending)(value, `${pointer}/value`) };
    case 'olderThan':
    case 'newerThan':
      return { op, value: span(value, `${pointer}/value`) };
    case 'inPeriod':
      return { op, value: parsePeriod(value, `${pointer}/value`) };
    default:
      return undefined;
  }
};

export const parsePeriod = (input: unknown, pointer: string): Period => {
  const fields = fieldsOf(input, pointer, 'A calendar period is expected: `{ "period": "month" }`.');
  allow(fields, ['period', 'offset'], pointer);
  return periodOf(fields, pointer);
};

export const periodOf = ({ period, offset = 0 }: Fields, pointer: string): Period => ({
  period: parseName(PERIOD_UNITS, period, 'period', `${pointer}/period`),
  offset: parseIntegerFrom(-PERIOD_OFFSET_MAX, PERIOD_OFFSET_MAX)(offset, `${pointer}/offset`),
});

const parseCount = parseIntegerFrom(0, Number.MAX_SAFE_INTEGER);

/** At least once, where nothing is said. */
export const parseCountTest = (input: unknown, pointer: string): CountTest => {
  if (input === undefined) return { op: 'gte', value: 1 };
  const fields = fieldsOf(input, pointer, 'A test of the count is expected: `{ "op": "gte", "value": 2 }`.');
  allow(fields, ['op', 'value'], pointer);
  const { op, value } = fields;
  switch (op) {
    case 'eq':
    case 'gte':
    case 'lt':
      return { op, value: parseCount(value, `${pointer}/value`) };
    case 'between':
      return { op, value: parseBounds(parseCount, ascending)(value, `${pointer}/value`) };
    default:
      return refuseOperator(pointer);
  }
};

export const refuseOperator = (pointer: string): never => {
  throw invalid('unknown-operator', `${pointer}/op`, 'There is no such operator for this type of value.');
};
