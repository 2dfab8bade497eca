import { canonicalInstant, isDuration } from '@app/kernel';
import type { FieldRule } from './field';

const SLUG = /^[a-z0-9_.-]{1,64}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
const CALENDAR_DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
/** Control characters but tab, line feed and carriage return: they are never meant, and break lines, logs and stores. */
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/;
/** Half a surrogate pair is no character: it would be stored as another one. */
const LONE_SURROGATE = /\p{Surrogate}/u;

const isText = (value: unknown): value is string =>
  typeof value === 'string' && !CONTROL.test(value) && !LONE_SURROGATE.test(value);

const isDate = (year: number, month: number, day: number): boolean => {
  const date = new Date(Date.UTC(2000, month - 1, day));
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
};

/** An instant as RFC 3339 writes it, on a day that exists. Leap seconds are not taken, for no clock here counts them. */
export const isRfc3339 = (value: unknown): value is string => {
  const parts = typeof value === 'string' ? RFC3339.exec(value) : null;
  return parts !== null && isDate(Number(parts[1]), Number(parts[2]), Number(parts[3]));
};

export const isCalendarDate = (value: unknown): value is string => {
  const parts = typeof value === 'string' ? CALENDAR_DATE.exec(value) : null;
  return parts !== null && isDate(Number(parts[1]), Number(parts[2]), Number(parts[3]));
};

export const isUuid = (value: unknown): value is string => typeof value === 'string' && UUID.test(value);

export const isSlug = (value: unknown): value is string => typeof value === 'string' && SLUG.test(value);

/** Characters are counted as UTF-16 code units, as JSON Schema's validators in JavaScript do. */
export const text = ({
  min = 1,
  max,
  pattern,
}: {
  min?: number;
  max: number;
  pattern?: RegExp;
}): FieldRule => ({
  code: 'text',
  detail:
    `must be a text of ${min} to ${max} characters` +
    (pattern ? ` like ${pattern.source}` : ', without control characters'),
  accepts: (value) =>
    isText(value) &&
    value.length >= min &&
    value.length <= max &&
    (pattern === undefined || pattern.test(value)),
  schema: { type: 'string', minLength: min, maxLength: max, ...(pattern ? { pattern: pattern.source } : {}) },
});

/** A code of ours: `a-z0-9-_.`, at most 64. */
export const slug: FieldRule = {
  code: 'slug',
  detail: 'must be 1 to 64 characters of a-z, 0-9, "-", "_" and "."',
  accepts: isSlug,
  schema: { type: 'string', minLength: 1, maxLength: 64, pattern: SLUG.source },
};

/** A key that another system issued. */
export const foreignKey: FieldRule = { ...text({ max: 200 }), code: 'foreign-key' };

export const uuid: FieldRule = {
  code: 'uuid',
  detail: 'must be a UUID',
  accepts: isUuid,
  normalise: (value) => (value as string).toLowerCase(),
  schema: { type: 'string', format: 'uuid' },
};

/** Instants are kept in UTC with milliseconds, so that equal instants are equal texts and sort as such. */
export const instant: FieldRule = {
  code: 'rfc3339',
  detail: 'must be a time as in RFC 3339, such as 2026-01-31T12:00:00Z',
  accepts: isRfc3339,
  normalise: (value) => canonicalInstant(value as string),
  schema: { type: 'string', format: 'date-time' },
};

export const calendarDate: FieldRule = {
  code: 'date',
  detail: 'must be a date that exists, such as 2026-01-31',
  accepts: isCalendarDate,
  schema: { type: 'string', format: 'date' },
};

export const wholeNumber = ({ min, max }: { min: number; max: number }): FieldRule => ({
  code: 'whole-number',
  detail: `must be a whole number from ${min} to ${max}`,
  accepts: (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max,
  fromText: (value) => (/^-?\d{1,16}$/.test(value) ? Number(value) : value),
  schema: { type: 'integer', minimum: min, maximum: max },
});

export const flag: FieldRule = {
  code: 'boolean',
  detail: 'must be true or false',
  accepts: (value) => typeof value === 'boolean',
  fromText: (value) => (value === 'true' ? true : value === 'false' ? false : value),
  schema: { type: 'boolean' },
};

export const oneOf = (values: readonly string[]): FieldRule => ({
  code: 'one-of',
  detail: `must be one of ${values.join(', ')}`,
  accepts: (value) => typeof value === 'string' && values.includes(value),
  schema: { type: 'string', enum: [...values] },
});

const parsed = (value: string): unknown => {
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
};

/** Any JSON object; whoever takes it checks what is inside. In a query string, its JSON text. */
export const jsonObject: FieldRule = {
  code: 'object',
  detail: 'must be a JSON object',
  accepts: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  fromText: parsed,
  schema: { type: 'object', additionalProperties: true },
};

/** ISO 8601, in whole numbers. */
export const duration: FieldRule = {
  code: 'duration',
  detail: 'must be an ISO 8601 duration in whole numbers, such as P30D',
  accepts: (value) => typeof value === 'string' && value.length <= 40 && isDuration(value),
  schema: { type: 'string', format: 'duration', maxLength: 40 },
};

/** ISO 4217 by form. */
export const currency: FieldRule = {
  code: 'currency',
  detail: 'must be a currency code of three capital letters',
  accepts: (value) => typeof value === 'string' && /^[A-Z]{3}$/.test(value),
  schema: { type: 'string', pattern: '^[A-Z]{3}$' },
};

/** A pool of points. No dot, which parts paths, and a letter or digit in front: pools are keys in read models. */
export const pool: FieldRule = {
  code: 'pool',
  detail: 'must be 1 to 64 characters of a-z, 0-9, "-" and "_", a letter or digit first',
  accepts: (value) => typeof value === 'string' && /^[a-z0-9][a-z0-9_-]{0,63}$/.test(value),
  schema: { type: 'string', pattern: '^[a-z0-9][a-z0-9_-]{0,63}$' },
};
