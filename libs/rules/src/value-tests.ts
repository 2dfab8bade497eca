import type { AttributeValue } from './facts';
import type { BooleanTest, CountTest, NumberTest, PathTest, PresenceTest, SetTest, TextTest } from './rule';
import type { Truth } from './truth';

type Form = (text: string) => string;
const asItIs: Form = (text) => text;

/** A text against a test; `form` is how both are brought into one form before they are compared. */
export const textTruth = (test: TextTest, text: string, form: Form = asItIs): boolean => {
  const own = form(text);
  switch (test.op) {
    case 'eq':
      return own === form(test.value);
    case 'neq':
      return own !== form(test.value);
    case 'in':
      return test.value.some((value) => form(value) === own);
    case 'notIn':
      return !test.value.some((value) => form(value) === own);
    case 'startsWith':
      return own.startsWith(form(test.value));
    case 'endsWith':
      return own.endsWith(form(test.value));
    case 'contains':
      return own.includes(form(test.value));
    case 'notContains':
      return !own.includes(form(test.value));
  }
};

export const numberTruth = (test: NumberTest | CountTest, figure: number): boolean =>
  orderTruth(test, (value) => figure - value);

/** `sum / count` against a test, without dividing. */
export const quotientTruth = (test: NumberTest, sum: number, count: number): boolean =>
  orderTruth(test, (value) => {
    const difference = BigInt(sum) - BigInt(value) * BigInt(count);
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  });

/** `compare` says how what is tested stands to a value: below 0, 0, or above. */
export const orderTruth = <T>(
  test:
    | Readonly<{ op: 'eq' | 'neq' | 'lt' | 'lte' | 'gt' | 'gte'; value: T }>
    | Readonly<{ op: 'between' | 'notBetween'; value: readonly [T, T] }>,
  compare: (value: T) => number,
): boolean => {
  switch (test.op) {
    case 'eq':
      return compare(test.value) === 0;
    case 'neq':
      return compare(test.value) !== 0;
    case 'lt':
      return compare(test.value) < 0;
    case 'lte':
      return compare(test.value) <= 0;
    case 'gt':
      return compare(test.value) > 0;
    case 'gte':
      return compare(test.value) >= 0;
    case 'between':
      return compare(test.value[0]) >= 0 && compare(test.value[1]) <= 0;
    case 'notBetween':
      return compare(test.value[0]) < 0 || compare(test.value[1]) > 0;
  }
};

export const setTruth = (test: SetTest, members: readonly string[]): boolean => {
  switch (test.op) {
    case 'hasAny':
      return test.value.some((value) => members.includes(value));
    case 'hasAll':
      return test.value.every((value) => members.includes(value));
    case 'hasNone':
      return !test.value.some((value) => members.includes(value));
    case 'sizeGte':
      return new Set(members).size >= test.value;
  }
};

/** A value of whatever type against a test by which its type is asked for; unknown where it is of another. */
export const valueTruth = (
  test: TextTest | NumberTest | BooleanTest | SetTest | PresenceTest,
  value: AttributeValue | undefined,
): Truth => {
  if (test.op === 'isSet') return value !== undefined;
  if (test.op === 'isUnset') return value === undefined;
  if (value === undefined) return null;
  if (isSetTest(test)) return Array.isArray(value) ? setTruth(test, value as readonly string[]) : null;
  if (typeof test.value === 'boolean') return typeof value === 'boolean' ? value === test.value : null;
  const isText = typeof test.value === 'string' || test.op === 'in' || test.op === 'notIn';
  if (isText) return typeof value === 'string' ? textTruth(test as TextTest, value) : null;
  return typeof value === 'number' ? numberTruth(test as NumberTest, value) : null;
};

/** A field of an event against a test; a list that is not there is empty. */
export const pathTruth = (test: PathTest, fields: Readonly<Record<string, AttributeValue>>): Truth => {
  const value = Object.hasOwn(fields, test.path) ? fields[test.path] : undefined;
  return valueTruth(test, isSetTest(test) ? (value ?? []) : value);
};

const SET_OPERATORS: ReadonlySet<string> = new Set(['hasAny', 'hasAll', 'hasNone', 'sizeGte']);

const isSetTest = <T extends Readonly<{ op: string }>>(test: T): test is Extract<T, SetTest> =>
  SET_OPERATORS.has(test.op);
