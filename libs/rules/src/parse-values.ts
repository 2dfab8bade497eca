import { isLeapYear } from './calendar';
import {
  isZero,
  normalDuration,
  readDuration,
  roughDays,
  type Duration,
  type DurationParts,
} from './duration';
import { InvalidRuleError } from './rule.errors';

export const RULE_VALUES_MAX = 1_000;
export const RULE_TEXT_LENGTH_MAX = 320;

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;
const CURRENCY = /^[A-Z]{3}$/;
const POOL = /^[a-z0-9][a-z0-9_-]{0,63}$/;

export type Fields = Readonly<Record<string, unknown>>;
/** Throws InvalidRuleError with the pointer. */
export type ParseValue<T> = (value: unknown, pointer: string) => T;

export const invalid = (code: string, pointer: string, detail: string): InvalidRuleError =>
  new InvalidRuleError(`rules.${code}`, pointer, detail);

export const fieldsOf = (input: unknown, pointer: string, detail = 'A node is a JSON object.'): Fields => {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw invalid('node-expected', pointer, detail);
  }
  return input as Fields;
};

export const allow = (fields: Fields, names: readonly string[], pointer: string): void => {
  const unknown = Object.keys(fields).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const token = unknown.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1');
  throw invalid('unknown-field', `${pointer}/${token}`, `Known here: ${names.join(', ')}.`);
};

/** Looks a name up in a table; own names only, so that `toString` is none. */
export const nameIn = <T extends string>(
  table: Readonly<Record<T, unknown>> | readonly T[],
  value: unknown,
): T | undefined => {
  if (typeof value !== 'string') return undefined;
  const known = Array.isArray(table) ? table.includes(value as T) : Object.hasOwn(table, value);
  return known ? (value as T) : undefined;
};

export const parseName = <T extends string>(
  names: readonly T[],
  value: unknown,
  code: string,
  pointer: string,
): T => {
  const name = nameIn(names, value);
  if (name === undefined) throw invalid(code, pointer, `One of: ${names.join(', ')}.`);
  return name;
};

/**
 * No text of a contact has others: control characters are refused in all of them, and half a surrogate pair would be stored as
 * another character, so that a rule would mean another one once it is kept.
 */
const STORABLE = /^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\p{Surrogate}]*$/u;

export const parseText: ParseValue<string> = (value, pointer) => {
  if (typeof value !== 'string') throw invalid('text-expected', pointer, 'A text is expected.');
  if (value.length === 0)
    throw invalid('empty', pointer, 'The text is empty; absence is asked for with isUnset.');
  if (value.length > RULE_TEXT_LENGTH_MAX) {
    throw invalid('too-long', pointer, `A text is at most ${RULE_TEXT_LENGTH_MAX} characters long.`);
  }
  if (!STORABLE.test(value)) {
    throw invalid('characters', pointer, 'The text has control characters or halves of surrogate pairs.');
  }
  return value;
};

export const parseTexts: ParseValue<string[]> = (value, pointer) => {
  if (!Array.isArray(value)) throw invalid('list-expected', pointer, 'A list of texts is expected.');
  if (value.length === 0) throw invalid('empty', pointer, 'At least one value is needed.');
  if (value.length > RULE_VALUES_MAX) {
    throw invalid('too-many-values', pointer, `A list has at most ${RULE_VALUES_MAX} values.`);
  }
  return value.map((text, index) => parseText(text, `${pointer}/${index}`));
};

/** 0 and not -0, so that one figure has one text. */
export const parseInteger: ParseValue<number> = (value, pointer) => {
  if (!Number.isSafeInteger(value)) throw invalid('integer-expected', pointer, 'An integer is expected.');
  return (value as number) + 0;
};

export const parseNumber: ParseValue<number> = (value, pointer) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw invalid('number-expected', pointer, 'A number is expected.');
  }
  return value + 0;
};

export const parseIntegerFrom =
  (min: number, max: number): ParseValue<number> =>
  (value, pointer) => {
    const integer = parseInteger(value, pointer);
    if (integer < min || integer > max) {
      throw invalid('out-of-range', pointer, `An integer from ${min} to ${max} is expected.`);
    }
    return integer;
  };

export const parseBoolean: ParseValue<boolean> = (value, pointer) => {
  if (typeof value !== 'boolean') throw invalid('boolean-expected', pointer, 'True or false is expected.');
  return value;
};

export const parseDate: ParseValue<string> = (value, pointer) => {
  if (isDate(value)) return value;
  throw invalid('date-expected', pointer, 'A date is expected: `1990-05-17`.');
};

export const parseInstant: ParseValue<string> = (value, pointer) => {
  if (typeof value === 'string' && INSTANT.test(value)) {
    const time = Date.parse(value.toUpperCase());
    if (!Number.isNaN(time)) return new Date(time).toISOString();
  }
  throw invalid('time-expected', pointer, 'A time of RFC 3339 is expected: `2024-05-17T12:00:00Z`.');
};

/** A date stands for its beginning. */
export const parseDateOrInstant: ParseValue<string> = (value, pointer) =>
  isDate(value) ? value : parseInstant(value, pointer);

const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Days that there are: neither 30 February nor, but in leap years, the 29th. */
export const isDate = (value: unknown): value is string => {
  if (typeof value !== 'string' || !DATE.test(value)) return false;
  const [year, month, day] = [value.slice(0, 4), value.slice(5, 7), value.slice(8)].map(Number);
  if (day === 0 || (day ?? 0) > (MONTH_DAYS[(month ?? 0) - 1] ?? 0)) return false;
  return month !== 2 || day !== 29 || isLeapYear(year ?? 0);
};

const parseDurationParts: ParseValue<DurationParts> = (value, pointer) => {
  const parts = typeof value === 'string' ? readDuration(value) : undefined;
  if (parts === undefined) {
    throw invalid(
      'duration-expected',
      pointer,
      'A duration of ISO 8601 up to 100 years is expected: `P30D`.',
    );
  }
  return parts;
};

export const parseDuration: ParseValue<Duration> = (value, pointer) =>
  normalDuration(parseDurationParts(value, pointer));

export const parseSpan: ParseValue<Duration> = (value, pointer) => {
  const parts = parseDurationParts(value, pointer);
  if (isZero(parts)) throw invalid('empty', pointer, 'A duration longer than nothing is expected.');
  return normalDuration(parts);
};

/** Steps from date to date, to compare dates with. */
export const parseDateSpan: ParseValue<Duration> = (value, pointer) => {
  if (parseDurationParts(value, pointer).ms !== 0) {
    throw invalid(
      'days-expected',
      pointer,
      'A duration in days, weeks, months or years is expected: `P18Y`.',
    );
  }
  return parseSpan(value, pointer);
};

/** Steps from date to date within a year. */
export const parseDays: ParseValue<Duration> = (value, pointer) => {
  const parts = parseDurationParts(value, pointer);
  if (parts.ms !== 0 || roughDays(parts) > 366) {
    throw invalid(
      'days-expected',
      pointer,
      'A duration in days, weeks or months up to a year is expected: `P7D`.',
    );
  }
  return normalDuration(parts);
};

export const parseBounds =
  <T>(parse: ParseValue<T>, inOrder: (from: T, to: T) => boolean): ParseValue<readonly [T, T]> =>
  (value, pointer) => {
    if (!Array.isArray(value) || value.length !== 2) {
      throw invalid('bounds-expected', pointer, 'A list of the lower and the upper bound is expected.');
    }
    const from = parse(value[0], `${pointer}/0`);
    const to = parse(value[1], `${pointer}/1`);
    if (!inOrder(from, to)) throw invalid('bounds-order', pointer, 'The lower bound comes first.');
    return [from, to];
  };

export const parseCurrency: ParseValue<string> = (value, pointer) => {
  if (typeof value !== 'string' || !CURRENCY.test(value)) {
    throw invalid('currency', pointer, 'A currency code of ISO 4217 is needed: `EUR`.');
  }
  return value;
};

export const parsePool: ParseValue<string> = (value, pointer) => {
  if (value === undefined) return 'main';
  if (typeof value !== 'string' || !POOL.test(value)) {
    throw invalid('pool', pointer, 'The name of a points pool is expected.');
  }
  return value;
};
