import { parse, type Long } from 'protobufjs';
import type { EncodedEvent, StoredEvent } from './event-codec';
import type { ExpectedRevision } from './event-store.port';
import { uuidOfHex } from './short-uuid';

/**
 * What is used here of EventStoreDB's `streams.proto` and `shared.proto` (field numbers and names are theirs). The driver's
 * generated code makes a tree of message objects of each answer, twice over, which costs more than all the rest of a read;
 * fields that are not named here are skipped.
 */
const PROTO = `
syntax = "proto3";
message Empty {}
message UUID { string string = 2; }
message StreamIdentifier { bytes stream_name = 3; }

message ReadReq { Options options = 1; }
message Options {
  StreamOptions stream = 1;
  AllOptions all = 2;
  uint32 read_direction = 3;
  uint64 count = 5;
  Empty subscription = 6;
  FilterOptions filter = 7;
  Empty no_filter = 8;
  UuidOption uuid_option = 9;
}
message StreamOptions { StreamIdentifier stream_identifier = 1; optional uint64 revision = 2; Empty end = 4; }
message AllOptions { Position position = 1; Empty start = 2; Empty end = 3; }
message Position { uint64 commit_position = 1; uint64 prepare_position = 2; }
message FilterOptions { Expression event_type = 2; Empty count = 4; uint32 checkpoint_interval_multiplier = 5; }
message Expression { string regex = 1; }
message UuidOption { Empty string = 2; }

message ReadResp { ReadEvent event = 1; Empty confirmation = 2; Empty stream_not_found = 4; }
message ReadEvent { RecordedEvent event = 1; }
message RecordedEvent {
  UUID id = 1;
  StreamIdentifier stream_identifier = 2;
  uint64 stream_revision = 3;
  uint64 commit_position = 5;
  map<string, string> metadata = 6;
  bytes custom_metadata = 7;
  bytes data = 8;
}

message BatchAppendReq {
  UUID correlation_id = 1;
  AppendOptions options = 2;
  repeated ProposedMessage proposed_messages = 3;
  bool is_final = 4;
}
message AppendOptions {
  StreamIdentifier stream_identifier = 1;
  optional uint64 stream_position = 2;
  Empty no_stream = 3;
  Empty any = 4;
}
message ProposedMessage {
  UUID id = 1;
  map<string, string> metadata = 2;
  bytes custom_metadata = 3;
  bytes data = 4;
}
message BatchAppendResp { StructuredUUID correlation_id = 1; Status error = 2; Success success = 3; }
message StructuredUUID { Bits structured = 1; string string = 2; }
message Bits { int64 most_significant_bits = 1; int64 least_significant_bits = 2; }
message Status { string message = 2; Any details = 3; }
message Any { string type_url = 1; }
message Success { uint64 current_revision = 1; Position position = 3; }
`;

const { root } = parse(PROTO);
const ReadReq = root.lookupType('ReadReq');
const ReadResp = root.lookupType('ReadResp');
const BatchAppendReq = root.lookupType('BatchAppendReq');
const BatchAppendResp = root.lookupType('BatchAppendResp');

const BACKWARDS = 1;
const TICKS_DIGITS_BELOW_MS = 4;
/** The types of the event store's own events begin with a dollar sign. */
const APPLICATION_EVENTS = '^[^$].*';

/** Events as they lie in their streams (links are not followed), with ids as text. */
const PLAIN = { noFilter: {}, uuidOption: { string: {} } };

const positionOf = (at: bigint): object => ({ commitPosition: String(at), preparePosition: String(at) });
const streamOf = (name: string): object => ({ streamName: Buffer.from(name, 'utf8') });

const readRequest = (options: object): Buffer => Buffer.from(ReadReq.encode({ options }).finish());

/** All of a stream from a revision on. */
export const streamRead = (stream: string, fromRevision: number): Buffer =>
  readRequest({
    ...PLAIN,
    stream: { streamIdentifier: streamOf(stream), revision: fromRevision },
    count: Number.MAX_SAFE_INTEGER,
  });

/** The last event of a stream. */
export const lastRead = (stream: string): Buffer =>
  readRequest({
    ...PLAIN,
    stream: { streamIdentifier: streamOf(stream), end: {} },
    readDirection: BACKWARDS,
    count: 1,
  });

/** The newest events of the log: before a position, or before its end. */
export const backwardsRead = (before: bigint | undefined, maxCount: number): Buffer =>
  readRequest({
    ...PLAIN,
    all: before === undefined ? { end: {} } : { position: positionOf(before) },
    readDirection: BACKWARDS,
    count: maxCount,
  });

/** What stands at a position, and what follows it. */
export const forwardsRead = (from: bigint, maxCount: number): Buffer =>
  readRequest({ ...PLAIN, all: { position: positionOf(from) }, count: maxCount });

/** The events of some types from a position on, to the end of the log. */
export const typedRead = (types: readonly string[], from: bigint | null): Buffer =>
  readRequest({
    uuidOption: { string: {} },
    all: from === null ? { start: {} } : { position: positionOf(from) },
    count: Number.MAX_SAFE_INTEGER,
    filter: {
      eventType: {
        regex: `^(${types.map((type) => type.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|')})$`,
      },
      count: {},
      checkpointIntervalMultiplier: 1,
    },
  });

/** A subscription to the application events behind a position. */
export const logSubscription = (after: bigint | null): Buffer =>
  readRequest({
    uuidOption: { string: {} },
    all: after === null ? { start: {} } : { position: positionOf(after) },
    subscription: {},
    filter: { eventType: { regex: APPLICATION_EVENTS }, count: {}, checkpointIntervalMultiplier: 1 },
  });

/** What a message of a read says; everything else that a server may say is `other`. */
export type ReadAnswer = StoredEvent | 'confirmed' | 'stream-not-found' | 'other';

/** Messages that were not sent are null. */
type DecodedRead = Readonly<{
  event: { event: DecodedEvent | null } | null;
  confirmation: object | null;
  streamNotFound: object | null;
}>;
type DecodedEvent = Readonly<{
  id: { string: string };
  streamIdentifier: { streamName: Buffer };
  streamRevision: Long | number;
  commitPosition: Long | number;
  metadata: Readonly<Record<string, string | undefined>>;
  customMetadata: Buffer;
  data: Buffer;
}>;

export const readAnswer = (bytes: Buffer): ReadAnswer => {
  const { event, confirmation, streamNotFound } = ReadResp.decode(bytes) as unknown as DecodedRead;
  if (event) return event.event ? storedEvent(event.event) : 'other';
  if (confirmation) return 'confirmed';
  return streamNotFound ? 'stream-not-found' : 'other';
};

const storedEvent = (event: DecodedEvent): StoredEvent => {
  const { type = '', created = '', 'content-type': contentType } = event.metadata;
  return {
    id: event.id.string,
    stream: text(event.streamIdentifier.streamName),
    revision: Number(integer(event.streamRevision)),
    position: integer(event.commitPosition),
    type,
    recordedAt: new Date(Number(created.slice(0, -TICKS_DIGITS_BELOW_MS))),
    data: contentType === 'application/json' ? json(event.data) : undefined,
    metadata: json(event.customMetadata),
  };
};

/** Undefined for what is no JSON: the codec says whose event that is. */
const json = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(text(bytes)) as unknown;
  } catch {
    return undefined;
  }
};

const text = (bytes: Buffer): string => bytes.toString('utf8');

const integer = (value: Long | number): bigint =>
  typeof value === 'number'
    ? BigInt(value)
    : BigInt.asUintN(64, (BigInt(value.high) << 32n) | BigInt(value.low >>> 0));

const expectation = (expected: ExpectedRevision | 'any'): object => {
  if (expected === 'any') return { any: {} };
  return expected === 'no-stream' ? { noStream: {} } : { streamPosition: expected };
};

/** One append of a BatchAppend call. */
export const batchAppendRequest = (
  correlationId: string,
  stream: string,
  events: readonly EncodedEvent[],
  expected: ExpectedRevision | 'any',
): Buffer =>
  Buffer.from(
    BatchAppendReq.encode({
      correlationId: { string: correlationId },
      options: {
        streamIdentifier: streamOf(stream),
        ...expectation(expected),
      },
      proposedMessages: events.map(({ id, type, data, metadata }) => ({
        id: { string: id },
        metadata: { type, 'content-type': 'application/json' },
        customMetadata: Buffer.from(JSON.stringify(metadata), 'utf8'),
        data: Buffer.from(JSON.stringify(data), 'utf8'),
      })),
      isFinal: true,
    }).finish(),
  );

/** How an append ended; `unknown` where the event store itself does not know. */
export type BatchAppendAnswer = Readonly<{ correlationId: string }> &
  (
    | Readonly<{ kind: 'done'; revision: number; position: bigint }>
    | Readonly<{ kind: 'wrong-revision' | 'too-large' | 'refused' | 'unknown'; reason: string }>
  );

/** The last part of the type name of an error's details, and what it means. */
const ERRORS: Readonly<Partial<Record<string, 'wrong-revision' | 'too-large' | 'refused'>>> = {
  WrongExpectedVersion: 'wrong-revision',
  MaximumAppendSizeExceeded: 'too-large',
  StreamDeleted: 'refused',
  AccessDenied: 'refused',
  BadRequest: 'refused',
};

type DecodedAppend = Readonly<{
  correlationId: {
    string: string;
    structured: { mostSignificantBits: Long; leastSignificantBits: Long } | null;
  } | null;
  error: { message: string; details: { typeUrl: string } | null } | null;
  success: { currentRevision: Long | number; position: { commitPosition: Long | number } | null } | null;
}>;

export const batchAppendAnswer = (bytes: Buffer): BatchAppendAnswer => {
  const answer = BatchAppendResp.decode(bytes) as unknown as DecodedAppend;
  const correlationId = uuidText(answer.correlationId);
  const position = answer.success?.position?.commitPosition;
  if (answer.success && position !== undefined) {
    const revision = Number(integer(answer.success.currentRevision));
    return { correlationId, kind: 'done', revision, position: integer(position) };
  }
  // `type.googleapis.com/event_store.client.WrongExpectedVersion`
  const name = answer.error?.details?.typeUrl.split('.').at(-1) ?? '';
  return {
    correlationId,
    kind: ERRORS[name] ?? 'unknown',
    reason: answer.error?.message ?? 'No position was given.',
  };
};

const uuidText = (id: DecodedAppend['correlationId']): string => {
  if (!id?.structured) return id?.string ?? '';
  const { mostSignificantBits, leastSignificantBits } = id.structured;
  const hex = [mostSignificantBits, leastSignificantBits]
    .map((bits) => integer(bits).toString(16).padStart(16, '0'))
    .join('');
  return uuidOfHex(hex);
};
