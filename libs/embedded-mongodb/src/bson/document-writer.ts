import { Document, serialize } from 'bson';
import { T, Value } from './raw-value';

const SMALL_NAMES: readonly Buffer[] = Array.from({ length: 1_000 }, (_, index) =>
  Buffer.from(String(index)),
);

const indexName = (index: number): Buffer => SMALL_NAMES[index] ?? Buffer.from(String(index));

/** Builds a BSON document by copying slices of others; nothing is decoded on the way. */
export class DocumentWriter {
  buf: Buffer;
  length = 0;

  constructor(size = 1_024) {
    this.buf = Buffer.allocUnsafe(size);
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.buf.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buf.length * 2, this.length + bytes));
    this.buf.copy(grown, 0, 0, this.length);
    this.buf = grown;
  }

  /** Starts a document and returns its mark for `end`. */
  begin(): number {
    this.reserve(4);
    this.length += 4;
    return this.length - 4;
  }

  end(mark: number): void {
    this.reserve(1);
    this.buf[this.length++] = 0;
    this.buf.writeInt32LE(this.length - mark, mark);
  }

  private head(type: number, name: string | Buffer): void {
    const bytes = typeof name === 'string' ? Buffer.from(name) : name;
    this.reserve(bytes.length + 2);
    this.buf[this.length++] = type;
    bytes.copy(this.buf, this.length);
    this.length += bytes.length;
    this.buf[this.length++] = 0;
  }

  raw(buf: Buffer, at: number, end: number): void {
    this.reserve(end - at);
    buf.copy(this.buf, this.length, at, end);
    this.length += end - at;
  }

  value(name: string | Buffer, value: Value): void {
    this.head(value.type, name);
    this.raw(value.buf, value.at, value.end);
  }

  item(index: number, value: Value): void {
    this.value(indexName(index), value);
  }

  document(name: string | Buffer, document: Buffer): void {
    this.head(T.object, name);
    this.raw(document, 0, document.length);
  }

  beginDocument(name: string | Buffer, type: number = T.object): number {
    this.head(type, name);
    return this.begin();
  }

  beginItem(index: number, type: number): number {
    return this.beginDocument(indexName(index), type);
  }

  documents(name: string, documents: readonly Buffer[]): void {
    const mark = this.beginDocument(name, T.array);
    documents.forEach((document, index) => this.document(indexName(index), document));
    this.end(mark);
  }

  int32(name: string, value: number): void {
    this.head(T.int, name);
    this.reserve(4);
    this.length = this.buf.writeInt32LE(value, this.length);
  }

  int64(name: string, value: bigint): void {
    this.head(T.long, name);
    this.reserve(8);
    this.length = this.buf.writeBigInt64LE(value, this.length);
  }

  double(name: string, value: number): void {
    this.head(T.double, name);
    this.reserve(8);
    this.length = this.buf.writeDoubleLE(value, this.length);
  }

  string(name: string, value: string): void {
    this.head(T.string, name);
    const bytes = Buffer.from(value);
    this.reserve(bytes.length + 5);
    this.length = this.buf.writeInt32LE(bytes.length + 1, this.length);
    this.raw(bytes, 0, bytes.length);
    this.buf[this.length++] = 0;
  }

  /** What was written, copied to its own size. */
  take(): Buffer {
    return Buffer.from(this.buf.subarray(0, this.length));
  }
}

/** A plain object as BSON bytes. */
export const bsonOf = (document: Document): Buffer =>
  Buffer.from(serialize(document, { ignoreUndefined: true }));

/** A plain JavaScript or bson value as a raw value; undefined where there is none. */
export const rawOf = (value: unknown): Value | undefined => {
  if (value === undefined) return undefined;
  const buf = bsonOf({ v: value });
  return buf.length === 5 ? undefined : { type: buf[4]!, buf, at: 7, end: buf.length - 1 };
};
