import { compareValues, rankOf } from '../bson/compare';
import { identityOf } from '../bson/key-encoding';
import { visitPath } from '../bson/path';
import { ElementCursor, isNumber, numberOf, T, textOf, Value } from '../bson/raw-value';
import { Filter, Predicate } from './filter';

/** Says whether the document that starts at `at` is wanted. */
export type Matcher = (buf: Buffer, at: number) => boolean;

/** Compiles a filter to a function over raw BSON. */
export const compileFilter = (filter: Filter): Matcher => {
  if (filter.kind === 'field') return compileField(filter);
  const parts = filter.parts.map(compileFilter);
  if (filter.kind === 'and') return (buf, at) => parts.every((part) => part(buf, at));
  const any: Matcher = (buf, at) => parts.some((part) => part(buf, at));
  return filter.kind === 'or' ? any : (buf, at) => !any(buf, at);
};

const compileField = ({ path, predicate }: Extract<Filter, { kind: 'field' }>): Matcher => {
  // Negations hold for the document as a whole, not for one of the values on the way.
  if (predicate.op === 'not') {
    const parts = predicate.parts.map((part) => compileField({ kind: 'field', path, predicate: part }));
    return (buf, at) => !parts.every((part) => part(buf, at));
  }
  if (predicate.op === 'all') {
    const parts = predicate.parts.map((part) => compileField({ kind: 'field', path, predicate: part }));
    return (buf, at) => parts.length > 0 && parts.every((part) => part(buf, at));
  }
  if (predicate.op === 'exists') {
    const found: Matcher = (buf, at) => visitPath(buf, at, path, (value) => value !== undefined);
    return predicate.expected ? found : (buf, at) => !found(buf, at);
  }
  const test = leafTest(predicate);
  return (buf, at) => visitPath(buf, at, path, test);
};

type LeafTest = (value: Value | undefined) => boolean;

/** Tries an array's elements and then the array itself, as all comparisons do. */
const withElements =
  (test: LeafTest): LeafTest =>
  (value) => {
    if (value?.type === T.array) {
      const cursor = new ElementCursor(value.buf, value.at);
      while (cursor.next()) if (test(cursor.value)) return true;
    }
    return test(value);
  };

const leafTest = (predicate: Predicate): LeafTest => {
  switch (predicate.op) {
    case 'eq':
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return withElements(comparison(predicate.op, predicate.operand));
    case 'in':
      return withElements(membership(predicate));
    case 'type':
      return withElements((value) => value !== undefined && predicate.types.has(value.type));
    case 'size':
      return (value) => value?.type === T.array && lengthOf(value) === predicate.size;
    case 'mod':
      return withElements((value) => isMultiple(value, predicate));
    case 'regex':
      return withElements(
        (value) =>
          (value?.type === T.string || value?.type === T.symbol) && predicate.pattern.test(textOf(value)),
      );
    case 'elementDocument': {
      const matcher = compileFilter(predicate.filter);
      return (value) =>
        someElement(
          value,
          (item) => (item.type === T.object || item.type === T.array) && matcher(item.buf, item.at),
        );
    }
    case 'elementValue': {
      const tests = predicate.parts.map(elementTest);
      return (value) => someElement(value, (item) => tests.every((test) => test(item)));
    }
    default:
      return () => false;
  }
};

/** A predicate on an element of an array by itself. */
const elementTest = (predicate: Predicate): LeafTest => {
  switch (predicate.op) {
    case 'not': {
      const parts = predicate.parts.map(elementTest);
      return (value) => !parts.every((part) => part(value));
    }
    case 'all': {
      const parts = predicate.parts.map(elementTest);
      return (value) => parts.length > 0 && parts.every((part) => part(value));
    }
    case 'exists':
      return (value) => (value !== undefined) === predicate.expected;
    default:
      return leafTest(predicate);
  }
};

const comparison = (op: 'eq' | 'gt' | 'gte' | 'lt' | 'lte', operand: Value): LeafTest => {
  const orEqual = op === 'eq' || op === 'gte' || op === 'lte';
  if (operand.type === T.null) {
    return orEqual ? (value) => !value || value.type === T.null || value.type === T.undefined : () => false;
  }
  const rank = rankOf(operand.type);
  const ofAnyType = operand.type === T.minKey || operand.type === T.maxKey;
  const isNaNOperand = operand.type === T.double && Number.isNaN(numberOf(operand));
  return (value) => {
    if (!value) return false;
    if (rankOf(value.type) !== rank && (!ofAnyType || op === 'eq')) return false;
    // NaN equals itself and is neither above nor below any number.
    if (isNaNOperand || (value.type === T.double && Number.isNaN(numberOf(value)))) {
      if (rank === 0x0f) return orEqual && compareValues(value, operand) === 0;
    }
    const order = compareValues(value, operand);
    if (order === 0) return orEqual;
    return order > 0 ? op === 'gt' || op === 'gte' : op === 'lt' || op === 'lte';
  };
};

const SMALL_LIST = 8;

const membership = ({ operands, patterns }: Extract<Predicate, { op: 'in' }>): LeafTest => {
  const hasNull = operands.some((operand) => operand.type === T.null);
  const few = operands.length <= SMALL_LIST ? operands : undefined;
  const identities = few ? undefined : new Set(operands.map(identityOf));
  return (value) => {
    if (!value || value.type === T.undefined) return hasNull;
    if (few ? few.some((operand) => compareValues(operand, value) === 0) : identities!.has(identityOf(value)))
      return true;
    return (
      patterns.length > 0 &&
      value.type === T.string &&
      patterns.some((pattern) => pattern.test(textOf(value)))
    );
  };
};

const lengthOf = (array: Value): number => {
  let length = 0;
  const cursor = new ElementCursor(array.buf, array.at);
  while (cursor.next()) length += 1;
  return length;
};

const isMultiple = (
  value: Value | undefined,
  { divisor, remainder }: { divisor: number; remainder: number },
): boolean => {
  if (!value || !isNumber(value.type) || value.type === T.decimal) return false;
  const number = numberOf(value);
  if (typeof number === 'bigint') return number % BigInt(divisor) === BigInt(remainder);
  return Number.isFinite(number) && Math.trunc(number) % divisor === remainder;
};

const someElement = (value: Value | undefined, test: (item: Value) => boolean): boolean => {
  if (value?.type !== T.array) return false;
  const cursor = new ElementCursor(value.buf, value.at);
  while (cursor.next()) if (test(cursor.value)) return true;
  return false;
};
