/** Type bytes of BSON (https://bsonspec.org/spec.html). */
export const T = {
  double: 0x01,
  string: 0x02,
  object: 0x03,
  array: 0x04,
  binary: 0x05,
  undefined: 0x06,
  objectId: 0x07,
  bool: 0x08,
  date: 0x09,
  null: 0x0a,
  regex: 0x0b,
  code: 0x0d,
  symbol: 0x0e,
  codeWithScope: 0x0f,
  int: 0x10,
  timestamp: 0x11,
  long: 0x12,
  decimal: 0x13,
  maxKey: 0x7f,
  minKey: 0xff,
} as const;

/** One value inside a BSON buffer: its type and its bytes `[at, end)`. Never copied until it has to be. */
export type Value = Readonly<{ type: number; buf: Buffer; at: number; end: number }>;

/** The buffer is no valid BSON, or nests deeper than allowed. */
export class InvalidBsonError extends Error {}

/** Deepest nesting a document may have, as in a MongoDB server (100 in what it stores, a little more in commands). */
const DEPTH_MAX = 120;

export const readInt32 = (buf: Buffer, at: number): number =>
  buf[at]! | (buf[at + 1]! << 8) | (buf[at + 2]! << 16) | (buf[at + 3]! << 24);

/** Bytes a value takes, given its type and where it starts. The buffer must have passed `validate`. */
export const sizeOf = (type: number, buf: Buffer, at: number): number => {
  switch (type) {
    case T.int:
      return 4;
    case T.string:
    case T.code:
    case T.symbol:
      return 4 + readInt32(buf, at);
    case T.object:
    case T.array:
    case T.codeWithScope:
      return readInt32(buf, at);
    case T.double:
    case T.date:
    case T.long:
    case T.timestamp:
      return 8;
    case T.bool:
      return 1;
    case T.null:
    case T.undefined:
    case T.minKey:
    case T.maxKey:
      return 0;
    case T.objectId:
      return 12;
    case T.binary:
      return 5 + readInt32(buf, at);
    case T.decimal:
      return 16;
    case T.regex:
      return buf.indexOf(0, buf.indexOf(0, at) + 1) + 1 - at;
    default:
      throw new InvalidBsonError(`unknown BSON type ${type}`);
  }
};

/** Walks the elements of one document. `next()` moves on; the fields then describe the element. */
export class ElementCursor {
  type = 0;
  nameAt = 0;
  nameEnd = 0;
  at = 0;
  end: number;

  constructor(
    readonly buf: Buffer,
    docAt: number,
  ) {
    this.end = docAt + 4;
  }

  next(): boolean {
    const buf = this.buf;
    const type = buf[this.end]!;
    if (type === 0) return false;
    let p = this.end + 1;
    this.type = type;
    this.nameAt = p;
    while (buf[p] !== 0) p += 1;
    this.nameEnd = p;
    this.at = p + 1;
    this.end = this.at + sizeOf(type, buf, this.at);
    return true;
  }

  get name(): string {
    return this.buf.toString('utf8', this.nameAt, this.nameEnd);
  }

  get value(): Value {
    return { type: this.type, buf: this.buf, at: this.at, end: this.end };
  }

  isNamed(name: Buffer): boolean {
    const length = name.length;
    if (this.nameEnd - this.nameAt !== length) return false;
    for (let i = 0; i < length; i += 1) if (this.buf[this.nameAt + i] !== name[i]) return false;
    return true;
  }
}

/** The field of that name in the document that starts at `docAt`, if it has one. */
export const fieldOf = (buf: Buffer, docAt: number, name: Buffer): Value | undefined => {
  const cursor = new ElementCursor(buf, docAt);
  while (cursor.next()) if (cursor.isNamed(name)) return cursor.value;
  return undefined;
};

/** The whole buffer as an embedded document. */
export const asValue = (document: Buffer): Value => ({
  type: T.object,
  buf: document,
  at: 0,
  end: document.length,
});

/** Bytes of a document value, without copying. */
export const bytesOf = (value: Value): Buffer => value.buf.subarray(value.at, value.end);

/** The elements of an array or document, in order. */
export const valuesOf = (container: Value): Value[] => {
  const values: Value[] = [];
  const cursor = new ElementCursor(container.buf, container.at);
  while (cursor.next()) values.push(cursor.value);
  return values;
};

/** The fields of a document, in order. */
export const entriesOf = (container: Value): [string, Value][] => {
  const entries: [string, Value][] = [];
  const cursor = new ElementCursor(container.buf, container.at);
  while (cursor.next()) entries.push([cursor.name, cursor.value]);
  return entries;
};

export const isNumber = (type: number): boolean =>
  type === T.int || type === T.double || type === T.long || type === T.decimal;

export const isText = (type: number): boolean => type === T.string || type === T.symbol;

export const textOf = (value: Value): string => value.buf.toString('utf8', value.at + 4, value.end - 1);

export const isTrue = (value: Value): boolean => value.buf[value.at] !== 0;

/** Int32 and double as they are, a long as a number where that is exact, else as a bigint. Not for decimals. */
export const numberOf = (value: Value): number | bigint => {
  if (value.type === T.int) return readInt32(value.buf, value.at);
  if (value.type === T.double) return value.buf.readDoubleLE(value.at);
  const high = readInt32(value.buf, value.at + 4);
  // Within 2^53 the two halves add up exactly.
  if (high >= -0x200000 && high < 0x200000)
    return high * 0x100000000 + (readInt32(value.buf, value.at) >>> 0);
  return value.buf.readBigInt64LE(value.at);
};

/** Checks lengths, terminators, types and depth, so that readers may trust the buffer. Returns the document's end. */
export const validate = (buf: Buffer, at: number, limit: number, depth = 0): number => {
  if (depth > DEPTH_MAX) throw new InvalidBsonError(`nested deeper than ${DEPTH_MAX} levels`);
  if (at + 5 > limit) throw new InvalidBsonError('document is cut short');
  const end = at + readInt32(buf, at);
  if (end < at + 5 || end > limit || buf[end - 1] !== 0)
    throw new InvalidBsonError('document has a wrong length');
  const last = end - 1;
  let p = at + 4;
  while (p < last) {
    const type = buf[p]!;
    p += 1;
    while (p < last && buf[p] !== 0) p += 1;
    p += 1;
    if (p > last) throw new InvalidBsonError('field name is not terminated');
    p = validateValue(type, buf, p, last, depth);
  }
  if (p !== last) throw new InvalidBsonError('value runs past its document');
  return end;
};

const validateValue = (type: number, buf: Buffer, at: number, last: number, depth: number): number => {
  switch (type) {
    case T.object:
    case T.array:
      return validate(buf, at, last, depth + 1);
    case T.string:
    case T.code:
    case T.symbol: {
      const length = at + 4 <= last ? readInt32(buf, at) : 0;
      if (length < 1 || at + 4 + length > last || buf[at + 3 + length] !== 0) {
        throw new InvalidBsonError('string has a wrong length');
      }
      return at + 4 + length;
    }
    case T.binary: {
      const length = at + 5 <= last ? readInt32(buf, at) : -1;
      if (length < 0 || at + 5 + length > last) throw new InvalidBsonError('binary has a wrong length');
      return at + 5 + length;
    }
    case T.regex: {
      const pattern = buf.indexOf(0, at);
      const options = pattern < 0 ? -1 : buf.indexOf(0, pattern + 1);
      if (options < 0 || options >= last) throw new InvalidBsonError('regular expression is not terminated');
      return options + 1;
    }
    case T.codeWithScope:
      throw new InvalidBsonError('code with scope is not supported');
    default: {
      const end = at + sizeOf(type, buf, at);
      if (end > last) throw new InvalidBsonError('value runs past its document');
      return end;
    }
  }
};
