import { Decimal128 } from 'bson';
import { ElementCursor, numberOf, T, Value } from './raw-value';

/** Rank of each BSON type in MongoDB's order of types. */
export const rankOf = (type: number): number => {
  switch (type) {
    case T.minKey:
      return 0x01;
    case T.undefined:
      return 0x05;
    case T.null:
      return 0x0a;
    case T.int:
    case T.double:
    case T.long:
    case T.decimal:
      return 0x0f;
    case T.string:
    case T.symbol:
      return 0x14;
    case T.object:
      return 0x19;
    case T.array:
      return 0x1e;
    case T.binary:
      return 0x23;
    case T.objectId:
      return 0x28;
    case T.bool:
      return 0x2d;
    case T.date:
      return 0x32;
    case T.timestamp:
      return 0x37;
    case T.regex:
      return 0x3c;
    case T.code:
      return 0x46;
    case T.codeWithScope:
      return 0x4b;
    default:
      return 0x7f;
  }
};

/** A finite decimal as `coefficient × 10^exponent`; NaN and the infinities as numbers. */
export type Decimal = number | Readonly<{ coefficient: bigint; exponent: number }>;

export const decimalOf = (value: Value): Decimal => {
  const text = new Decimal128(Buffer.from(value.buf.subarray(value.at, value.end))).toString();
  const match = /^(-?)(\d+)(?:\.(\d*))?(?:E([+-]?\d+))?$/.exec(text);
  if (!match) return text === 'NaN' ? NaN : text.startsWith('-') ? -Infinity : Infinity;
  const [, sign = '', whole = '0', fraction = '', exponent = '0'] = match;
  const digits = BigInt(whole + fraction);
  return { coefficient: sign ? -digits : digits, exponent: Number(exponent) - fraction.length };
};

/** A finite double as `mantissa × 2^exponent`, exactly. */
const partsOf = (value: number): readonly [bigint, number] => {
  let exponent = 0;
  let mantissa = value;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    exponent -= 1;
  }
  return [BigInt(mantissa), exponent];
};

const compareDecimal = (decimal: Decimal, other: number | bigint): number => {
  if (typeof decimal === 'number') return compareScalars(decimal, other);
  if (typeof other === 'number' && !Number.isFinite(other)) return Number.isNaN(other) || other < 0 ? 1 : -1;
  const [mantissa, binary] = typeof other === 'bigint' ? ([other, 0] as const) : partsOf(other);
  const { coefficient, exponent } = decimal;
  let left = coefficient;
  let right = mantissa;
  if (exponent > 0) left *= 10n ** BigInt(exponent);
  else right *= 10n ** BigInt(-exponent);
  if (binary < 0) left *= 2n ** BigInt(-binary);
  return left < right ? -1 : left > right ? 1 : 0;
};

const compareScalars = (a: number | bigint, b: number | bigint): number => {
  if (a < b) return -1;
  if (a > b) return 1;
  // Neither is above: equal, unless one is NaN, which is below every other number and equal to itself.
  if (a !== a) return b !== b ? 0 : -1;
  return b !== b ? 1 : 0;
};

const compareDecimals = (a: Decimal, b: Decimal): number => {
  if (typeof a === 'number') return typeof b === 'number' ? compareScalars(a, b) : a > 0 ? 1 : -1;
  if (typeof b === 'number') return -compareDecimals(b, a);
  const exponent = Math.min(a.exponent, b.exponent);
  return compareScalars(
    a.coefficient * 10n ** BigInt(a.exponent - exponent),
    b.coefficient * 10n ** BigInt(b.exponent - exponent),
  );
};

const compareNumbers = (a: Value, b: Value): number => {
  if (a.type !== T.decimal && b.type !== T.decimal) return compareScalars(numberOf(a), numberOf(b));
  if (a.type !== T.decimal) return -compareDecimal(decimalOf(b), numberOf(a));
  return b.type === T.decimal
    ? compareDecimals(decimalOf(a), decimalOf(b))
    : compareDecimal(decimalOf(a), numberOf(b));
};

const compareBytes = (a: Value, aFrom: number, aTo: number, b: Value, bFrom: number, bTo: number): number =>
  a.buf.compare(b.buf, bFrom, bTo, aFrom, aTo);

const compareContainers = (a: Value, b: Value): number => {
  const left = new ElementCursor(a.buf, a.at);
  const right = new ElementCursor(b.buf, b.at);
  for (;;) {
    const more = left.next();
    if (more !== right.next()) return more ? 1 : -1;
    if (!more) return 0;
    const byType = rankOf(left.type) - rankOf(right.type);
    if (byType !== 0) return byType;
    if (a.type === T.object) {
      const byName = left.buf.compare(right.buf, right.nameAt, right.nameEnd, left.nameAt, left.nameEnd);
      if (byName !== 0) return byName;
    }
    const byValue = compareValues(left.value, right.value);
    if (byValue !== 0) return byValue;
  }
};

const compareBinaries = (a: Value, b: Value): number =>
  a.end - a.at - (b.end - b.at) ||
  a.buf[a.at + 4]! - b.buf[b.at + 4]! ||
  compareBytes(a, a.at + 5, a.end, b, b.at + 5, b.end);

/** MongoDB's total order over BSON values: by type, then by value, numbers across their types. */
export const compareValues = (a: Value, b: Value): number => {
  const rank = rankOf(a.type);
  const byType = rank - rankOf(b.type);
  if (byType !== 0) return byType;
  switch (rank) {
    case 0x0f:
      return compareNumbers(a, b);
    case 0x14:
    case 0x46:
      return compareBytes(a, a.at + 4, a.end - 1, b, b.at + 4, b.end - 1);
    case 0x19:
    case 0x1e:
      return compareContainers(a, b);
    case 0x23:
      return compareBinaries(a, b);
    case 0x28:
    case 0x2d:
    case 0x3c:
      return compareBytes(a, a.at, a.end, b, b.at, b.end);
    case 0x32:
      return compareScalars(a.buf.readBigInt64LE(a.at), b.buf.readBigInt64LE(b.at));
    case 0x37:
      return compareScalars(a.buf.readBigUInt64LE(a.at), b.buf.readBigUInt64LE(b.at));
    default:
      return 0;
  }
};

/** The same bytes and type: for "has this changed", where 1 and 1.0 differ. */
export const sameBytes = (a: Value, b: Value): boolean =>
  a.type === b.type && a.end - a.at === b.end - b.at && compareBytes(a, a.at, a.end, b, b.at, b.end) === 0;
