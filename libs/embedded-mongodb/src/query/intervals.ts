import { encodeValue } from '../bson/key-encoding';
import { isNumber, numberOf, T, Value } from '../bson/raw-value';
import { afterPrefix } from '../bson/key-encoding';
import { rankOf } from '../bson/compare';
import { KEY_CUT, KEY_LENGTH_MAX } from '../storage/index-key';
import { Predicate } from './filter';

/** A place between encoded values: before or after all that start with `bytes`. */
type Edge = Readonly<{ bytes: Buffer; after: boolean }>;

/** Encoded values from one edge to another. A point holds exactly one value. */
export type Interval = Readonly<{ low: Edge; high: Edge }>;

const compareEdges = (a: Edge, b: Edge): number => {
  const shared = Math.min(a.bytes.length, b.bytes.length);
  const order = a.bytes.compare(b.bytes, 0, shared, 0, shared);
  if (order !== 0) return order;
  if (a.bytes.length === b.bytes.length) return Number(a.after) - Number(b.after);
  // The shorter one lies before or after everything that goes on from it.
  return a.bytes.length < b.bytes.length ? (a.after ? 1 : -1) : b.after ? -1 : 1;
};

const before = (bytes: Buffer): Edge => ({ bytes, after: false });
const after = (bytes: Buffer): Edge => ({ bytes, after: true });
const startingWith = (bytes: Buffer): Interval => ({ low: before(bytes), high: after(bytes) });

export const isPoint = ({ low, high }: Interval): boolean =>
  !low.after &&
  high.after &&
  low.bytes.length > 1 &&
  low.bytes.equals(high.bytes) &&
  low.bytes.length <= KEY_CUT;

const NULL = Buffer.from([0x0a]);

/** Null and missing are one byte: the only point of that length. */
const isNullPoint = ({ low, high }: Interval): boolean =>
  !low.after && high.after && low.bytes.equals(NULL) && high.bytes.equals(NULL);

export const isSinglePoint = (interval: Interval): boolean => isPoint(interval) || isNullPoint(interval);

export const mayHoldNull = (intervals: readonly Interval[]): boolean =>
  intersect(intervals, [startingWith(NULL)]).length > 0;

/** Sorted, without overlaps. */
export const union = (intervals: readonly Interval[]): Interval[] => {
  const sorted = [...intervals].sort((a, b) => compareEdges(a.low, b.low));
  const merged: Interval[] = [];
  for (const interval of sorted) {
    const last = merged.at(-1);
    if (last && compareEdges(interval.low, last.high) < 0) {
      if (compareEdges(interval.high, last.high) > 0)
        merged[merged.length - 1] = { low: last.low, high: interval.high };
    } else merged.push(interval);
  }
  return merged;
};

/** What is in both; each list sorted and without overlaps, and so is the result. */
export const intersect = (a: readonly Interval[], b: readonly Interval[]): Interval[] => {
  const shared: Interval[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const left = a[i]!;
    const right = b[j]!;
    const low = compareEdges(left.low, right.low) > 0 ? left.low : right.low;
    const leftEndsFirst = compareEdges(left.high, right.high) < 0;
    const high = leftEndsFirst ? left.high : right.high;
    if (compareEdges(low, high) < 0) shared.push({ low, high });
    if (leftEndsFirst) i += 1;
    else j += 1;
  }
  return shared;
};

/** Whether every value of `inner` is in `outer`. */
export const covers = (outer: readonly Interval[], inner: readonly Interval[]): boolean =>
  inner.every((interval) =>
    outer.some(
      (candidate) =>
        compareEdges(candidate.low, interval.low) <= 0 && compareEdges(candidate.high, interval.high) >= 0,
    ),
  );

const encoded = (value: Value): Buffer => {
  const bytes = encodeValue(value);
  return bytes.length > KEY_LENGTH_MAX ? bytes.subarray(0, KEY_CUT) : bytes;
};

const hasBounds = (operand: Value): boolean =>
  operand.type !== T.array &&
  operand.type !== T.minKey &&
  operand.type !== T.maxKey &&
  operand.type !== T.undefined;

/** The values a predicate can be true for, a little too many at worst; undefined where it says nothing. */
export const intervalsOf = (predicate: Predicate): readonly Interval[] | undefined => {
  switch (predicate.op) {
    case 'eq':
      return hasBounds(predicate.operand) ? [startingWith(encoded(predicate.operand))] : undefined;
    case 'in':
      if (predicate.patterns.length > 0 || !predicate.operands.every(hasBounds)) return undefined;
      return union(predicate.operands.map((operand) => startingWith(encoded(operand))));
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return rangeOf(predicate.op, predicate.operand);
    case 'exists':
      return predicate.expected ? undefined : [startingWith(NULL)];
    case 'regex':
      return predicate.prefix === undefined ? undefined : [startingWith(textStart(predicate.prefix))];
    case 'elementValue': {
      const parts = predicate.parts.map(intervalsOf).filter((part) => part !== undefined);
      return parts.length === 0 ? undefined : parts.reduce((left, right) => intersect(left, right));
    }
    case 'all':
      return predicate.parts[0] && intervalsOf(predicate.parts[0]);
    default:
      return undefined;
  }
};

const rangeOf = (op: 'gt' | 'gte' | 'lt' | 'lte', operand: Value): readonly Interval[] | undefined => {
  if (!hasBounds(operand)) return undefined;
  if (operand.type === T.null) return op === 'gte' || op === 'lte' ? [startingWith(NULL)] : [];
  if (operand.type === T.double && Number.isNaN(numberOf(operand))) {
    return op === 'gte' || op === 'lte' ? [startingWith(encoded(operand))] : [];
  }
  const bytes = encoded(operand);
  const type = Buffer.from([rankOf(operand.type)]);
  // A decimal may share its floor with others, and a cut value stands for all that start like it.
  const isRounded = bytes.length > KEY_CUT - 1 || operand.type === T.decimal;
  const edge = isRounded && isNumber(operand.type) ? bytes.subarray(0, 11) : bytes;
  if (op === 'gt' || op === 'gte') {
    return [{ low: op === 'gte' || isRounded ? before(edge) : after(edge), high: after(type) }];
  }
  return [{ low: before(type), high: op === 'lte' || isRounded ? after(edge) : before(edge) }];
};

/** The encoding of a string up to where it could go on. */
const textStart = (text: string): Buffer => {
  const buf = Buffer.from(text);
  const value = Buffer.allocUnsafe(buf.length + 5);
  value.writeInt32LE(buf.length + 1, 0);
  buf.copy(value, 4);
  value[value.length - 1] = 0;
  const bytes = encodeValue({ type: T.string, buf: value, at: 0, end: value.length });
  return bytes.subarray(0, Math.min(bytes.length - 2, KEY_CUT));
};

const inverted = (bytes: Buffer): Buffer => {
  const copy = Buffer.allocUnsafe(bytes.length);
  for (let i = 0; i < bytes.length; i += 1) copy[i] = ~bytes[i]! & 0xff;
  return copy;
};

/** The interval as bytes of an index component: from the first, up to but without the second. */
export const bytesOfInterval = ({ low, high }: Interval, descending: boolean): readonly [Buffer, Buffer] => {
  if (!descending) {
    return [
      low.after ? afterPrefix(low.bytes) : low.bytes,
      high.after ? afterPrefix(high.bytes) : high.bytes,
    ];
  }
  const [from, to] = [inverted(high.bytes), inverted(low.bytes)];
  return [high.after ? from : afterPrefix(from), low.after ? to : afterPrefix(to)];
};

/** The bytes of a point in an index component. */
export const bytesOfPoint = ({ low }: Interval, descending: boolean): Buffer =>
  descending ? inverted(low.bytes) : low.bytes;
