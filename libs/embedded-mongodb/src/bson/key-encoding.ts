import { compareValues, decimalOf, rankOf } from './compare';
import { ElementCursor, numberOf, T, Value } from './raw-value';

const NUMBER_BITS = new DataView(new ArrayBuffer(8));

const nextDown = (value: number): number => {
  NUMBER_BITS.setFloat64(0, value);
  const bits = NUMBER_BITS.getBigInt64(0);
  NUMBER_BITS.setBigInt64(0, value > 0 ? bits - 1n : bits + 1n);
  return NUMBER_BITS.getFloat64(0);
};

/** The largest double that is not above the integer. */
const floorDouble = (value: bigint): number => {
  const nearest = Number(value);
  return BigInt(nearest) > value ? nextDown(nearest) : nearest;
};

const doubleValue = (value: number): Value => {
  const buf = Buffer.allocUnsafe(8);
  buf.writeDoubleLE(value, 0);
  return { type: T.double, buf, at: 0, end: 8 };
};

/**
 * Writes BSON values as bytes whose order under memcmp is MongoDB's order, so that a B-tree of them is an index and a
 * sort key. No encoding is a prefix of another one.
 */
export class KeyWriter {
  private buf = Buffer.allocUnsafe(256);
  length = 0;
  /** A decimal was written whose neighbours cannot be told apart by order, only by equality. */
  inexact = false;

  reset(): void {
    this.length = 0;
    this.inexact = false;
  }

  /** A copy of what was written since `from`. */
  take(from = 0): Buffer {
    return Buffer.from(this.buf.subarray(from, this.length));
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.buf.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buf.length * 2, this.length + bytes));
    this.buf.copy(grown, 0, 0, this.length);
    this.buf = grown;
  }

  private byte(value: number): void {
    this.reserve(1);
    this.buf[this.length++] = value;
  }

  uint32(value: number): void {
    this.reserve(4);
    this.length = this.buf.writeUInt32BE(value, this.length);
  }

  uint48(value: number): void {
    this.reserve(6);
    this.length = this.buf.writeUIntBE(value, this.length, 6);
  }

  /** One component of a key; missing is written as null, as in MongoDB's indexes. */
  component(value: Value | undefined, descending: boolean): void {
    const from = this.length;
    if (value) this.value(value);
    else this.byte(0x0a);
    if (descending) for (let i = from; i < this.length; i += 1) this.buf[i] = ~this.buf[i]! & 0xff;
  }

  /** A value that may be missing, which is not the same as null here. */
  optional(value: Value | undefined): void {
    if (value) this.value(value);
    else this.byte(0);
  }

  /** What was written, one character a byte: a key for a Map. */
  get text(): string {
    return this.buf.toString('latin1', 0, this.length);
  }

  value(value: Value): void {
    this.byte(rankOf(value.type));
    this.payload(value);
  }

  private payload(value: Value): void {
    const { buf, at, end } = value;
    switch (value.type) {
      case T.int:
      case T.double:
      case T.long:
      case T.decimal:
        return this.number(value);
      case T.string:
      case T.symbol:
      case T.code:
        return this.escaped(buf, at + 4, end - 1);
      case T.regex: {
        const split = buf.indexOf(0, at);
        this.escaped(buf, at, split);
        return this.escaped(buf, split + 1, end - 1);
      }
      case T.object:
      case T.array: {
        const cursor = new ElementCursor(buf, at);
        while (cursor.next()) {
          this.byte(rankOf(cursor.type));
          if (value.type === T.object) this.escaped(buf, cursor.nameAt, cursor.nameEnd);
          this.payload(cursor.value);
        }
        return this.byte(0);
      }
      case T.date:
        return this.bigint(buf.readBigInt64LE(at) + 0x8000000000000000n);
      case T.timestamp:
        return this.bigint(buf.readBigUInt64LE(at));
      case T.binary:
        this.uint32(end - at - 5);
        return this.raw(buf, at + 4, end);
      default:
        return this.raw(buf, at, end);
    }
  }

  private raw(buf: Buffer, at: number, end: number): void {
    this.reserve(end - at);
    buf.copy(this.buf, this.length, at, end);
    this.length += end - at;
  }

  /** Zero bytes become 00 FF and 00 00 ends the string, so that "a" stays before "a\0". */
  private escaped(buf: Buffer, at: number, end: number): void {
    this.reserve((end - at) * 2 + 2);
    const out = this.buf;
    let p = this.length;
    for (let i = at; i < end; i += 1) {
      const byte = buf[i]!;
      out[p++] = byte;
      if (byte === 0) out[p++] = 0xff;
    }
    out[p++] = 0;
    out[p++] = 0;
    this.length = p;
  }

  private bigint(value: bigint): void {
    this.reserve(8);
    this.length = this.buf.writeBigUInt64BE(value, this.length);
  }

  /** The double at or below the number, then how far it is above: whole steps of one, and a flag for a fraction. */
  private number(value: Value): void {
    if (value.type === T.decimal) return this.decimal(value);
    const number = numberOf(value);
    if (typeof number === 'number') return this.floorAndRest(number, 0);
    const floor = floorDouble(number);
    this.floorAndRest(floor, Number(number - BigInt(floor)) * 2);
  }

  private floorAndRest(floor: number, rest: number): void {
    this.reserve(10);
    const p = this.length;
    if (floor !== floor) this.buf.fill(0, p, p + 8);
    else {
      this.buf.writeDoubleBE(floor === 0 ? 0 : floor, p);
      if (this.buf[p]! & 0x80) for (let i = p; i < p + 8; i += 1) this.buf[i] = ~this.buf[i]! & 0xff;
      else this.buf[p]! |= 0x80;
    }
    this.length = this.buf.writeUInt16BE(rest, p + 8);
  }

  private decimal(value: Value): void {
    const decimal = decimalOf(value);
    if (typeof decimal === 'number') return this.floorAndRest(decimal, 0);
    const { coefficient, exponent } = decimal;
    const integral = exponent >= 0 ? coefficient * 10n ** BigInt(exponent) : undefined;
    if (integral !== undefined && integral >= -(2n ** 63n) && integral < 2n ** 63n) {
      const floor = floorDouble(integral);
      return this.floorAndRest(floor, Number(integral - BigInt(floor)) * 2);
    }
    let floor = Number(`${coefficient}e${exponent}`);
    if (!Number.isFinite(floor)) floor = floor > 0 ? Number.MAX_VALUE : -Infinity;
    const order = compareValues(value, doubleValue(floor));
    if (order === 0) return this.floorAndRest(floor, 0);
    if (order < 0) floor = nextDown(floor);
    this.inexact = true;
    this.floorAndRest(floor, 1);
    let digits = coefficient;
    let power = exponent;
    while (digits % 10n === 0n) {
      digits /= 10n;
      power += 1;
    }
    const text = Buffer.from(`${digits}e${power}`);
    this.escaped(text, 0, text.length);
  }
}

const WRITER = new KeyWriter();

/** The order-preserving bytes of one value. */
export const encodeValue = (value: Value): Buffer => {
  WRITER.reset();
  WRITER.value(value);
  return WRITER.take();
};

/** The same as a string, one character a byte: a key for a Map in which equal values are one. */
export const identityOf = (value: Value | undefined): string =>
  value ? encodeValue(value).toString('latin1') : '';

/** The first key after all that start with `prefix`. */
export const afterPrefix = (prefix: Buffer): Buffer => {
  let end = prefix.length;
  while (end > 0 && prefix[end - 1] === 0xff) end -= 1;
  const next = Buffer.from(prefix.subarray(0, end));
  if (end > 0) next[end - 1]! += 1;
  return next;
};
