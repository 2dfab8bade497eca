import { crc32 } from 'node:zlib';
import { varintSize, writeVarint } from '../wire';

/*
 * One event in the log: a header for the store, then the event as the gRPC frame that readers receive, so that a
 * read copies bytes and encodes nothing; then the length again, so that the log can be walked backwards.
 *
 *  0 u32 magic            24 u48 revision         42 u16 stream name: offset
 *  4 u32 length           30 u16 flags            44 u16 stream name: length
 *  8 u32 CRC-32 of 12…    32 u48 created, ms      46 u16 event type: length
 * 12 u48 position         38 u32 data: offset     48 u32 event type: offset
 * 18 u48 durable before   52 u32 data: length     56 the frame … u32 length
 *
 * `durable before` is how far the log was on disk when the record was written: a broken record below that mark had
 * been acknowledged, so it is corruption and not a torn tail.
 */
export const RECORD_MAGIC = 0x524c4752;
export const RECORD_HEADER_SIZE = 56;
export const RECORD_FOOTER_SIZE = 4;
/** The record with the last event of an append: an append whose last record is missing never happened. */
const END_OF_APPEND = 1;
const TOMBSTONE = 2;
const JSON_CONTENT = 4;

/** The revision that EventStoreDB gives a `$streamDeleted` event. */
export const TOMBSTONE_REVISION = 9223372036854775807n;
const TOMBSTONE_VARINT = Buffer.from('ffffffffffffffff7f', 'hex');

const NAME_BYTES_MAX = 65_535;
const UUID_TEXT_SIZE = 36;
const TYPE_KEY = Buffer.from('type');
const CREATED_KEY = Buffer.from('created');
const CONTENT_TYPE_KEY = Buffer.from('content-type');
const CONTENT_TYPES = {
  json: Buffer.from('application/json'),
  bytes: Buffer.from('application/octet-stream'),
};

export type RecordToWrite = Readonly<{
  position: number;
  durable: number;
  stream: Buffer;
  revision: number | 'tombstone';
  endOfAppend: boolean;
  createdMs: number;
  /** Lower-case text with dashes. */
  id: string;
  type: string;
  isJson: boolean;
  customMetadata: Buffer;
  data: Buffer;
}>;

export const fieldSize = (length: number): number => 1 + varintSize(length) + length;
const entrySize = (key: Buffer, value: Buffer): number =>
  fieldSize(fieldSize(key.length) + fieldSize(value.length));

const writeHead = (target: Buffer, at: number, tag: number, length: number): number => {
  target[at] = tag;
  return writeVarint(target, at + 1, length);
};

const writeBytes = (target: Buffer, at: number, tag: number, value: Buffer): number => {
  const start = writeHead(target, at, tag, value.length);
  value.copy(target, start);
  return start + value.length;
};

const writeNumber = (target: Buffer, at: number, tag: number, value: number): number => {
  target[at] = tag;
  return writeVarint(target, at + 1, value);
};

const writeEntry = (target: Buffer, at: number, key: Buffer, value: Buffer): number => {
  const start = writeHead(target, at, 0x32, fieldSize(key.length) + fieldSize(value.length));
  return writeBytes(target, writeBytes(target, start, 0x0a, key), 0x12, value);
};

/** Packs an event; throws RangeError when its stream name or type is longer than 65,535 bytes. */
export const encodeRecord = (event: RecordToWrite): Buffer => {
  const type = Buffer.from(event.type);
  if (event.stream.length > NAME_BYTES_MAX || type.length > NAME_BYTES_MAX) {
    throw new RangeError(`Stream names and event types may have ${NAME_BYTES_MAX} bytes.`);
  }
  const created = Buffer.from(`${event.createdMs}0000`);
  const contentType = event.isJson ? CONTENT_TYPES.json : CONTENT_TYPES.bytes;
  const tombstone = event.revision === 'tombstone';
  const revision = event.revision === 'tombstone' ? 0 : event.revision;
  const positionSize = 1 + varintSize(event.position);
  const recordedSize =
    fieldSize(fieldSize(UUID_TEXT_SIZE)) +
    fieldSize(fieldSize(event.stream.length)) +
    (tombstone ? 1 + TOMBSTONE_VARINT.length : 1 + varintSize(revision)) +
    2 * positionSize +
    entrySize(TYPE_KEY, type) +
    entrySize(CREATED_KEY, created) +
    entrySize(CONTENT_TYPE_KEY, contentType) +
    (event.customMetadata.length > 0 ? fieldSize(event.customMetadata.length) : 0) +
    fieldSize(event.data.length);
  const readEventSize = fieldSize(recordedSize) + positionSize;
  const messageSize = fieldSize(readEventSize);
  const length = RECORD_HEADER_SIZE + 5 + messageSize + RECORD_FOOTER_SIZE;
  const record = Buffer.allocUnsafe(length);

  let at = RECORD_HEADER_SIZE;
  record[at] = 0;
  record.writeUInt32BE(messageSize, at + 1);
  at = writeHead(record, at + 5, 0x0a, readEventSize);
  at = writeHead(record, at, 0x0a, recordedSize);
  at = writeHead(record, at, 0x0a, fieldSize(UUID_TEXT_SIZE));
  at = writeHead(record, at, 0x12, UUID_TEXT_SIZE);
  at += record.write(event.id, at, 'latin1');
  at = writeHead(record, at, 0x12, fieldSize(event.stream.length));
  at = writeBytes(record, at, 0x1a, event.stream);
  const streamOffset = at - event.stream.length;
  if (tombstone) {
    record[at++] = 0x18;
    at += TOMBSTONE_VARINT.copy(record, at);
  } else at = writeNumber(record, at, 0x18, revision);
  at = writeNumber(record, at, 0x20, event.position);
  at = writeNumber(record, at, 0x28, event.position);
  at = writeEntry(record, at, TYPE_KEY, type);
  const typeOffset = at - type.length;
  at = writeEntry(record, at, CREATED_KEY, created);
  at = writeEntry(record, at, CONTENT_TYPE_KEY, contentType);
  if (event.customMetadata.length > 0) at = writeBytes(record, at, 0x3a, event.customMetadata);
  at = writeBytes(record, at, 0x42, event.data);
  const dataOffset = at - event.data.length;
  at = writeNumber(record, at, 0x18, event.position);

  record.writeUInt32LE(RECORD_MAGIC, 0);
  record.writeUInt32LE(length, 4);
  record.writeUIntLE(event.position, 12, 6);
  record.writeUIntLE(event.durable, 18, 6);
  record.writeUIntLE(revision, 24, 6);
  const flags =
    (event.endOfAppend ? END_OF_APPEND : 0) | (tombstone ? TOMBSTONE : 0) | (event.isJson ? JSON_CONTENT : 0);
  record.writeUInt16LE(flags, 30);
  record.writeUIntLE(event.createdMs, 32, 6);
  record.writeUInt32LE(dataOffset, 38);
  record.writeUInt16LE(streamOffset, 42);
  record.writeUInt16LE(event.stream.length, 44);
  record.writeUInt16LE(type.length, 46);
  record.writeUInt32LE(typeOffset, 48);
  record.writeUInt32LE(event.data.length, 52);
  record.writeUInt32LE(length, length - RECORD_FOOTER_SIZE);
  record.writeUInt32LE(crc32(record.subarray(12)), 8);
  return record;
};

/** A view of one record inside a buffer; good until that buffer is filled anew. */
export class LogRecord {
  private constructor(
    private readonly source: Buffer,
    private readonly start: number,
    readonly length: number,
    readonly position: number,
  ) {}

  /** The length of the record at `start` if a header for this log position stands there and is complete. */
  static lengthAt(source: Buffer, start: number, position: number): number | null {
    if (source.length - start < RECORD_HEADER_SIZE) return null;
    if (source.readUInt32LE(start) !== RECORD_MAGIC || source.readUIntLE(start + 12, 6) !== position)
      return null;
    const length = source.readUInt32LE(start + 4);
    return length > RECORD_HEADER_SIZE + RECORD_FOOTER_SIZE ? length : null;
  }

  /** Null unless a whole record with the right position and checksum stands there. */
  static parse(source: Buffer, start: number, position: number): LogRecord | null {
    const length = LogRecord.lengthAt(source, start, position);
    if (length === null || length > source.length - start) return null;
    if (crc32(source.subarray(start + 12, start + length)) !== source.readUInt32LE(start + 8)) return null;
    return new LogRecord(source, start, length, position);
  }

  get next(): number {
    return this.position + this.length;
  }

  get durableBefore(): number {
    return this.source.readUIntLE(this.start + 18, 6);
  }

  get revision(): number {
    return this.source.readUIntLE(this.start + 24, 6);
  }

  get isTombstone(): boolean {
    return (this.flags & TOMBSTONE) !== 0;
  }

  get endsAppend(): boolean {
    return (this.flags & END_OF_APPEND) !== 0;
  }

  get isJson(): boolean {
    return (this.flags & JSON_CONTENT) !== 0;
  }

  get createdMs(): number {
    return this.source.readUIntLE(this.start + 32, 6);
  }

  get checksum(): number {
    return this.source.readUInt32LE(this.start + 8);
  }

  get stream(): string {
    const from = this.start + this.source.readUInt16LE(this.start + 42);
    return this.source.toString('utf8', from, from + this.source.readUInt16LE(this.start + 44));
  }

  get type(): string {
    const from = this.start + this.source.readUInt32LE(this.start + 48);
    return this.source.toString('utf8', from, from + this.source.readUInt16LE(this.start + 46));
  }

  get id(): string {
    const streamOffset = this.start + this.source.readUInt16LE(this.start + 42);
    const streamLength = this.source.readUInt16LE(this.start + 44);
    // The identifier stands right before the stream name and the two heads that the name is wrapped in.
    const end = streamOffset - (1 + varintSize(streamLength)) - (1 + varintSize(fieldSize(streamLength)));
    return this.source.toString('latin1', end - UUID_TEXT_SIZE, end);
  }

  get data(): Buffer {
    const from = this.start + this.source.readUInt32LE(this.start + 38);
    return this.source.subarray(from, from + this.source.readUInt32LE(this.start + 52));
  }

  /** The event as readers receive it: a gRPC frame with a ReadResp. */
  get frame(): Buffer {
    return this.source.subarray(
      this.start + RECORD_HEADER_SIZE,
      this.start + this.length - RECORD_FOOTER_SIZE,
    );
  }

  private get flags(): number {
    return this.source.readUInt16LE(this.start + 30);
  }
}
