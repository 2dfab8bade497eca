import { status } from '@grpc/grpc-js';
import type { FilterExpression } from '../engine/event-filter';
import { invalidArgument, RpcError, unimplemented, unknown } from './rpc-errors';
import { bytesField, grpcFrame, MalformedMessageError, varintField, WireReader } from '../wire';

/** Events that count as one search window where the client names none. */
const DEFAULT_WINDOW = 32;
/** Names, prefixes and expressions of one filter. */
const FILTER_BYTES_MAX = 64 * 1024;

/** Where to begin; a bigint is a revision or a commit position. */
export type From = bigint | 'start' | 'end';

export type Filter = FilterExpression & Readonly<{ window: number; checkpointMultiplier: number }>;

export type ReadRequest = Readonly<{
  /** Null for all events. */
  stream: string | null;
  from: From;
  /** Of a position: a checkpoint may name one before the event at its commit position. */
  prepare: bigint;
  backwards: boolean;
  resolveLinks: boolean;
  /** Null for a subscription. */
  count: bigint | null;
  filter: Filter | null;
}>;

type Draft = {
  -readonly [Key in keyof ReadRequest]: ReadRequest[Key];
} & { source: boolean; mode: boolean; filtering: boolean; textIds: boolean | null };

const decodeName = (reader: WireReader): string => {
  let name = '';
  while (reader.next()) {
    if (reader.field === 3) name = reader.string();
    else reader.skip();
  }
  return name;
};

const decodeStream = (reader: WireReader, draft: Draft): void => {
  draft.stream = '';
  draft.source = true;
  while (reader.next()) {
    if (reader.field === 1) draft.stream = decodeName(reader.message());
    else if (reader.field === 2) draft.from = reader.uint64();
    else {
      if (reader.field === 3) draft.from = 'start';
      else if (reader.field === 4) draft.from = 'end';
      reader.skip();
    }
  }
};

const decodePosition = (reader: WireReader, draft: Draft): void => {
  draft.from = 0n;
  while (reader.next()) {
    if (reader.field === 1) draft.from = reader.uint64();
    else if (reader.field === 2) draft.prepare = reader.uint64();
    else reader.skip();
  }
};

const decodeAll = (reader: WireReader, draft: Draft): void => {
  draft.stream = null;
  draft.source = true;
  while (reader.next()) {
    if (reader.field === 1) decodePosition(reader.message(), draft);
    else {
      if (reader.field === 2) draft.from = 'start';
      else if (reader.field === 3) draft.from = 'end';
      reader.skip();
    }
  }
};

const decodeExpression = (reader: WireReader): { regex: string; prefixes: string[] } => {
  const prefixes: string[] = [];
  let regex = '';
  while (reader.next()) {
    if (reader.field === 1) regex = reader.string();
    else if (reader.field === 2) prefixes.push(reader.string());
    else reader.skip();
  }
  return { regex, prefixes };
};

const decodeFilter = (message: Buffer): Filter => {
  if (message.length > FILTER_BYTES_MAX) throw invalidArgument('The filter is too long.');
  const reader = new WireReader(message);
  let filter: Filter | null = null;
  let window: number | null = null;
  let checkpointMultiplier = 0;
  while (reader.next()) {
    if (reader.field === 1 || reader.field === 2) {
      const on = reader.field === 1 ? 'stream' : 'type';
      filter = { on, ...decodeExpression(reader.message()), window: 0, checkpointMultiplier: 0 };
    } else if (reader.field === 3) window = reader.varint();
    else if (reader.field === 5) checkpointMultiplier = reader.varint();
    else {
      if (reader.field === 4) window = DEFAULT_WINDOW;
      reader.skip();
    }
  }
  if (!filter || window === null) throw invalidArgument('The filter is incomplete.');
  return { ...filter, window, checkpointMultiplier };
};

/** Whether identifiers are wanted as text; the other form is not offered. */
const decodeUuidOption = (reader: WireReader): boolean => {
  let text = false;
  while (reader.next()) {
    if (reader.field === 2) text = true;
    reader.skip();
  }
  return text;
};

const decodeOptions = (reader: WireReader, draft: Draft): void => {
  while (reader.next()) {
    if (reader.field === 1) decodeStream(reader.message(), draft);
    else if (reader.field === 2) decodeAll(reader.message(), draft);
    else if (reader.field === 3) draft.backwards = reader.varint() === 1;
    else if (reader.field === 4) draft.resolveLinks = reader.varint() !== 0;
    else if (reader.field === 5) {
      draft.count = reader.uint64();
      draft.mode = true;
    } else if (reader.field === 6) {
      draft.count = null;
      draft.mode = true;
      reader.skip();
    } else if (reader.field === 7) {
      draft.filter = decodeFilter(reader.bytes());
      draft.filtering = true;
    } else if (reader.field === 8) {
      draft.filter = null;
      draft.filtering = true;
      reader.skip();
    } else if (reader.field === 9) draft.textIds = decodeUuidOption(reader.message());
    else reader.skip();
  }
};

const check = (draft: Draft): void => {
  if (draft.textIds === null) throw invalidArgument('The UUID option is missing.');
  const subscribesBackwards = draft.count === null && draft.backwards;
  const filtersStream = draft.stream !== null && draft.filter !== null;
  if (!draft.source || !draft.mode || !draft.filtering || subscribesBackwards || filtersStream) {
    throw invalidArgument('The combination of stream, count, direction and filter is not valid.');
  }
  if (!draft.textIds) throw unimplemented('structured UUIDs');
  if (draft.stream === '') throw unknown('The stream name is missing.');
  if (draft.count === 0n) throw unknown('The count must be positive.');
  if (draft.stream !== null && draft.count !== null && draft.from === 'end' && !draft.backwards) {
    throw unknown('A stream cannot be read forwards from its end.');
  }
  if (draft.filter && draft.count === null && draft.filter.checkpointMultiplier < 1) {
    throw unknown('The checkpoint interval must be positive.');
  }
};

/** Unpacks a ReadReq. Throws RpcError with the status that EventStoreDB gives what it refuses. */
export const decodeReadRequest = (message: Buffer): ReadRequest => {
  const draft: Draft = {
    stream: null,
    from: 'start',
    prepare: 0n,
    backwards: false,
    resolveLinks: false,
    count: null,
    filter: null,
    source: false,
    mode: false,
    filtering: false,
    textIds: null,
  };
  const reader = new WireReader(message);
  try {
    while (reader.next()) {
      if (reader.field === 1) decodeOptions(reader.message(), draft);
      else reader.skip();
    }
  } catch (error) {
    if (error instanceof MalformedMessageError) throw new RpcError(status.INTERNAL, error.message);
    throw error;
  }
  check(draft);
  return draft;
};

/* Frames with a ReadResp. */
export const confirmationFrame = (subscriptionId: string): Buffer =>
  grpcFrame(bytesField(2, bytesField(1, subscriptionId)));
export const checkpointFrame = (commit: number, prepare: number): Buffer =>
  grpcFrame(bytesField(3, varintField(1, commit), varintField(2, prepare)));
export const streamNotFoundFrame = (stream: string): Buffer =>
  grpcFrame(bytesField(4, bytesField(1, bytesField(3, stream))));
export const caughtUpFrame = (): Buffer => grpcFrame(bytesField(8));

/** The RecordedEvent inside a stored frame. */
const recordedEventOf = (frame: Buffer): Buffer => {
  let reader = new WireReader(frame.subarray(5));
  reader.next();
  reader = reader.message();
  reader.next();
  return reader.bytes();
};

/** The frame of a link and the event it leads to, or of the link alone where it leads nowhere. */
export const resolvedLinkFrame = (link: Buffer, linkPosition: number, event: Buffer | null): Buffer =>
  grpcFrame(
    bytesField(
      1,
      event ? bytesField(1, recordedEventOf(event)) : Buffer.alloc(0),
      bytesField(2, recordedEventOf(link)),
      varintField(3, linkPosition),
    ),
  );
