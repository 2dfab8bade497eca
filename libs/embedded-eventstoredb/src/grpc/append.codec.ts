import type { AppendOutcome, ProposedEvent } from '../engine/event-store.engine';
import type { ExpectedRevision } from '../engine/append-decision';
import { invalidArgument, missingMetadata, unknown } from './rpc-errors';
import { bytesField, grpcFrame, varintField, WireReader } from '../wire';

/** EventStoreDB's default limit for the data of one append. */
export const APPEND_BYTES_MAX = 1_048_576;
const NAME_BYTES_MAX = 65_535;
const JSON_CONTENT_TYPE = 'application/json';
const UUID_TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ZERO_UUID = '00000000-0000-0000-0000-000000000000';
const EMPTY = Buffer.alloc(0);

/** The stream that a call is about and what it expects of it; append, delete and tombstone share the layout. */
export type Target = Readonly<{
  stream: string;
  /** The stream identifier as it was sent. */
  identifier: Buffer;
  expected: ExpectedRevision | null;
  deadlineMs: number;
}>;

export type BatchAppendRequest = Readonly<{
  correlationId: Buffer;
  target: Target | null;
  /** Left packed, so that one bad event refuses its append and not the call. */
  events: readonly Buffer[];
  isFinal: boolean;
}>;

export type AppendRequest = Readonly<{ target: Target }> | Readonly<{ event: Buffer }>;

const decodeSeconds = (reader: WireReader): number => {
  let ms = 0;
  while (reader.next()) {
    if (reader.field === 1) ms += Number(BigInt.asIntN(64, reader.uint64())) * 1000;
    else if (reader.field === 2) ms += Number(BigInt.asIntN(64, reader.uint64())) / 1e6;
    else reader.skip();
  }
  return ms;
};

const decodeName = (reader: WireReader): string => {
  let name = '';
  while (reader.next()) {
    if (reader.field === 3) name = reader.string();
    else reader.skip();
  }
  return name;
};

export const decodeTarget = (reader: WireReader): Target => {
  let identifier = EMPTY as Buffer;
  let expected: ExpectedRevision | null = null;
  let deadlineMs = Infinity;
  while (reader.next()) {
    if (reader.field === 1) identifier = reader.bytes();
    else if (reader.field === 2) expected = reader.uint64();
    else if (reader.field === 6) deadlineMs = decodeSeconds(reader.message());
    else if (reader.field === 7) deadlineMs = Date.now() + decodeSeconds(reader.message());
    else {
      if (reader.field === 3) expected = 'no_stream';
      else if (reader.field === 4) expected = 'any';
      else if (reader.field === 5) expected = 'stream_exists';
      reader.skip();
    }
  }
  return { stream: decodeName(new WireReader(identifier)), identifier, expected, deadlineMs };
};

/** Throws where the stream or the expectation is missing. */
export const checkTarget = (target: Target | null): Target & { expected: ExpectedRevision } => {
  if (!target || target.expected === null) throw invalidArgument('The expected revision is missing.');
  if (target.stream === '') throw unknown('The stream name is missing.');
  if (target.stream === '$$' || target.stream === '$all')
    throw unknown(`${target.stream} cannot be written to.`);
  if (Buffer.byteLength(target.stream) > NAME_BYTES_MAX) throw unknown('The stream name is too long.');
  return { ...target, expected: target.expected };
};

/** Delete and tombstone requests: one message with the target in it. */
export const decodeTargetRequest = (message: Buffer): Target => {
  const reader = new WireReader(message);
  let target = decodeTarget(new WireReader(EMPTY));
  while (reader.next()) {
    if (reader.field === 1) target = decodeTarget(reader.message());
    else reader.skip();
  }
  return target;
};

export const decodeAppendRequest = (message: Buffer): AppendRequest => {
  const reader = new WireReader(message);
  let request: AppendRequest | null = null;
  while (reader.next()) {
    if (reader.field === 1) request = { target: decodeTarget(reader.message()) };
    else if (reader.field === 2) request = { event: reader.bytes() };
    else reader.skip();
  }
  if (!request) throw invalidArgument('The append request is empty.');
  return request;
};

export const decodeBatchAppendRequest = (message: Buffer): BatchAppendRequest => {
  const reader = new WireReader(message);
  const events: Buffer[] = [];
  let correlationId = EMPTY as Buffer;
  let target: Target | null = null;
  let isFinal = false;
  while (reader.next()) {
    if (reader.field === 1) correlationId = reader.bytes();
    else if (reader.field === 2) target = decodeTarget(reader.message());
    else if (reader.field === 3) events.push(reader.bytes());
    else if (reader.field === 4) isFinal = reader.varint() !== 0;
    else reader.skip();
  }
  return { correlationId, target, events, isFinal };
};

const decodeUuid = (reader: WireReader): string => {
  let id = '';
  while (reader.next()) {
    if (reader.field === 2) id = reader.string().toLowerCase();
    else if (reader.field === 1) id = decodeStructuredUuid(reader.message());
    else reader.skip();
  }
  if (!UUID_TEXT.test(id) || id === ZERO_UUID) throw unknown('The event id is not a UUID.');
  return id;
};

const decodeStructuredUuid = (reader: WireReader): string => {
  const halves = [0n, 0n];
  while (reader.next()) {
    if (reader.field === 1 || reader.field === 2) halves[reader.field - 1] = reader.uint64();
    else reader.skip();
  }
  const hex = halves.map((half) => half.toString(16).padStart(16, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
};

/** Unpacks a proposed event; data and metadata are views of the message. Throws RpcError on what the store refuses. */
export const decodeEvent = (message: Buffer): ProposedEvent => {
  const reader = new WireReader(message);
  let id = '';
  let type: string | null = null;
  let contentType: string | null = null;
  let customMetadata = EMPTY as Buffer;
  let data = EMPTY as Buffer;
  while (reader.next()) {
    if (reader.field === 1) id = decodeUuid(reader.message());
    else if (reader.field === 2) {
      const [key, value] = decodeEntry(reader.message());
      if (key === 'type') type = value;
      else if (key === 'content-type') contentType = value;
    } else if (reader.field === 3) customMetadata = reader.bytes();
    else if (reader.field === 4) data = reader.bytes();
    else reader.skip();
  }
  if (type === null || contentType === null) throw missingMetadata();
  if (type === '') throw unknown('The event type is empty.');
  if (Buffer.byteLength(type) > NAME_BYTES_MAX) throw unknown('The event type is too long.');
  if (id === '') throw unknown('The event id is missing.');
  return { id, type, isJson: contentType === JSON_CONTENT_TYPE, customMetadata, data };
};

const decodeEntry = (reader: WireReader): [string, string] => {
  let key = '';
  let value = '';
  while (reader.next()) {
    if (reader.field === 1) key = reader.string();
    else if (reader.field === 2) value = reader.string();
    else reader.skip();
  }
  return [key, value];
};

const position = (field: number, value: number): Buffer =>
  bytesField(field, varintField(1, value), varintField(2, value));

const encodeSuccess = (field: number, outcome: AppendOutcome & { kind: 'done' }): Buffer =>
  bytesField(
    field,
    outcome.revision < 0 ? bytesField(2) : varintField(1, outcome.revision),
    outcome.position === null ? bytesField(4) : position(3, outcome.position),
  );

/** DeleteResp and TombstoneResp. */
export const encodePosition = (value: number | null): Buffer =>
  value === null ? bytesField(2) : position(1, value);

const MAX_UINT64 = 2n ** 64n - 1n;

/** AppendResp for anything but a deleted stream, which is a status. */
export const encodeAppendResponse = (
  outcome: AppendOutcome & { kind: 'done' | 'wrong-revision' },
  expected: ExpectedRevision,
): Buffer => {
  if (outcome.kind === 'done') return encodeSuccess(1, outcome);
  const none = outcome.actual < 0;
  const current = none
    ? [bytesField(2), bytesField(7)]
    : [varintField(1, outcome.actual), varintField(6, outcome.actual)];
  const expectation = {
    any: [bytesField(4), bytesField(9)],
    stream_exists: [bytesField(5), bytesField(10)],
    no_stream: [varintField(3, MAX_UINT64), bytesField(11)],
  };
  const wanted =
    typeof expected === 'bigint'
      ? [varintField(3, expected), varintField(8, expected)]
      : expectation[expected];
  return bytesField(2, ...current, ...wanted);
};

const encodeStatus = (code: number, message: string, type: string, ...details: Buffer[]): Buffer =>
  bytesField(
    2,
    varintField(1, code),
    bytesField(2, message),
    bytesField(3, bytesField(1, `type.googleapis.com/event_store.client.${type}`), bytesField(2, ...details)),
  );

export type BatchFailure = Readonly<
  { kind: 'bad-request'; message: string } | { kind: 'too-large' | 'timeout' }
>;

const encodeBatchResult = (
  outcome: AppendOutcome | BatchFailure,
  expected: ExpectedRevision,
  identifier: Buffer,
) => {
  switch (outcome.kind) {
    case 'done':
      return encodeSuccess(3, outcome);
    case 'wrong-revision':
      return encodeStatus(
        6,
        'WrongExpectedVersion',
        'WrongExpectedVersion',
        outcome.actual < 0 ? bytesField(2) : varintField(1, outcome.actual),
        typeof expected === 'bigint'
          ? varintField(3, expected)
          : bytesField({ any: 4, stream_exists: 5, no_stream: 6 }[expected]),
      );
    case 'deleted':
      return encodeStatus(5, 'StreamDeleted', 'StreamDeleted', bytesField(1, identifier));
    case 'too-large':
      return encodeStatus(
        3,
        'MaximumAppendSizeExceeded',
        'MaximumAppendSizeExceeded',
        varintField(1, APPEND_BYTES_MAX),
      );
    case 'timeout':
      return encodeStatus(4, 'Timeout', 'Timeout');
    case 'bad-request':
      return encodeStatus(3, outcome.message, 'BadRequest', bytesField(1, outcome.message));
  }
};

/** A BatchAppendResp, framed. */
export const encodeBatchAppendResponse = (
  correlationId: Buffer,
  identifier: Buffer,
  expected: ExpectedRevision,
  outcome: AppendOutcome | BatchFailure,
): Buffer =>
  grpcFrame(
    bytesField(1, correlationId),
    encodeBatchResult(outcome, expected, identifier),
    bytesField(4, identifier),
  );
