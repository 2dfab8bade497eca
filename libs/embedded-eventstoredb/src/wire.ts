/** Protocol Buffers primitives for the few messages that are packed and unpacked by hand. */

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/** Bytes that `writeVarint` takes for a whole number from 0 to 2^53 - 1. */
export const varintSize = (value: number): number => {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size += 1;
  return size;
};

/** Writes a whole number from 0 to 2^53 - 1 and returns the offset behind it. */
export const writeVarint = (target: Buffer, offset: number, value: number): number => {
  let rest = value;
  let at = offset;
  while (rest >= 128) {
    target[at++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  target[at++] = rest;
  return at;
};

/** A field whose value is a varint; bigints are read as unsigned 64-bit numbers. */
export const varintField = (field: number, value: number | bigint): Buffer => {
  const bytes = [(field << 3) | VARINT];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
};

/** A field whose value is a string, bytes, or a message made of the given parts. */
export const bytesField = (field: number, ...parts: readonly (Buffer | string)[]): Buffer => {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  const head = Buffer.alloc(1 + varintSize(body.length));
  head[0] = (field << 3) | BYTES;
  writeVarint(head, 1, body.length);
  return Buffer.concat([head, body]);
};

/** Puts the five bytes before a message that gRPC frames it with. */
export const grpcFrame = (...parts: readonly Buffer[]): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(
    parts.reduce((sum, part) => sum + part.length, 0),
    1,
  );
  return Buffer.concat([head, ...parts]);
};

export class MalformedMessageError extends Error {}

/** Reads one message field by field; throws MalformedMessageError on anything that does not fit its frame. */
export class WireReader {
  field = 0;
  wireType = 0;

  constructor(
    private readonly source: Buffer,
    private at = 0,
    private readonly end = source.length,
  ) {}

  /** Moves to the next field; false at the end. The caller then reads or skips its value. */
  next(): boolean {
    if (this.at >= this.end) return false;
    const tag = this.varint();
    this.field = Math.floor(tag / 8);
    this.wireType = tag % 8;
    if (this.field === 0) throw new MalformedMessageError('Field number 0.');
    return true;
  }

  /** A varint below 2^53; larger ones throw. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 8; count += 1) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 128;
    }
    throw new MalformedMessageError('Number out of range.');
  }

  /** A varint as an unsigned 64-bit number. */
  uint64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw new MalformedMessageError('Varint longer than ten bytes.');
  }

  /** The bytes of a length-delimited field: a view, not a copy. */
  bytes(): Buffer {
    const [start, end] = this.extent();
    return this.source.subarray(start, end);
  }

  string(): string {
    const [start, end] = this.extent();
    return this.source.toString('utf8', start, end);
  }

  message(): WireReader {
    const [start, end] = this.extent();
    return new WireReader(this.source, start, end);
  }

  skip(): void {
    if (this.wireType === VARINT) this.uint64();
    else if (this.wireType === BYTES) this.extent();
    else if (this.wireType === FIXED64) this.advance(8);
    else if (this.wireType === FIXED32) this.advance(4);
    else throw new MalformedMessageError(`Wire type ${this.wireType}.`);
  }

  private extent(): [number, number] {
    if (this.wireType !== BYTES)
      throw new MalformedMessageError(`Wire type ${this.wireType} where bytes belong.`);
    const length = this.varint();
    const start = this.at;
    this.advance(length);
    return [start, this.at];
  }

  private byte(): number {
    this.advance(1);
    return this.source[this.at - 1] as number;
  }

  private advance(length: number): void {
    if (length > this.end - this.at) throw new MalformedMessageError('Field longer than its message.');
    this.at += length;
  }
}
