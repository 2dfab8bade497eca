import { InvalidBsonError, readInt32, validate } from '../bson/raw-value';

/** Longest message a client may send, as in MongoDB. */
export const MESSAGE_LENGTH_MAX = 48_000_000;
export const HEADER_LENGTH = 16;

const OP_REPLY = 1;
const OP_QUERY = 2004;
export const OP_MSG = 2013;

const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;
/** Bits 0–15 are required: a server must refuse those it does not know. */
const REQUIRED_UNKNOWN = 0xffff & ~(CHECKSUM_PRESENT | MORE_TO_COME);

/** The bytes are no message of this protocol: the connection has to be closed. */
export class MalformedMessageError extends Error {}

/** A command as it came in: its document, and document sequences beside it. */
export type Message = Readonly<{
  requestId: number;
  /** How the answer has to be wrapped. */
  kind: 'message' | 'query';
  /** The client waits for no answer. */
  silent: boolean;
  body: Buffer;
  sequences: ReadonlyMap<string, readonly Buffer[]>;
  /** `admin.$cmd` of a legacy query. */
  namespace: string | undefined;
}>;

/** Length of the next message if its header is there; fails on a length that cannot be. */
export const lengthOfNext = (buffered: Buffer): number | undefined => {
  if (buffered.length < 4) return undefined;
  const length = readInt32(buffered, 0);
  if (length < HEADER_LENGTH || length > MESSAGE_LENGTH_MAX)
    throw new MalformedMessageError(`message length ${length}`);
  return length;
};

/** Takes one whole message apart; every document in it is validated. */
export const parseMessage = (message: Buffer): Message => {
  const requestId = readInt32(message, 4);
  const opcode = readInt32(message, 12);
  try {
    if (opcode === OP_MSG) return parseOpMsg(message, requestId);
    if (opcode === OP_QUERY) return parseOpQuery(message, requestId);
  } catch (error) {
    if (error instanceof InvalidBsonError) throw new MalformedMessageError(error.message);
    throw error;
  }
  throw new MalformedMessageError(`operation code ${opcode}`);
};

const parseOpMsg = (message: Buffer, requestId: number): Message => {
  if (message.length < HEADER_LENGTH + 4) throw new MalformedMessageError('no flags');
  const flags = message.readUInt32LE(HEADER_LENGTH);
  if (flags & REQUIRED_UNKNOWN) throw new MalformedMessageError(`unknown flags ${flags}`);
  // The checksum is allowed and not verified: TCP on the loopback has its own.
  const end = message.length - (flags & CHECKSUM_PRESENT ? 4 : 0);
  let body: Buffer | undefined;
  const sequences = new Map<string, Buffer[]>();
  let at = HEADER_LENGTH + 4;
  while (at < end) {
    const kind = message[at]!;
    at += 1;
    if (kind === 0) {
      const bodyEnd = validate(message, at, end);
      if (body) throw new MalformedMessageError('two bodies');
      body = message.subarray(at, bodyEnd);
      at = bodyEnd;
    } else if (kind === 1) {
      const sectionEnd = at + (at + 4 <= end ? readInt32(message, at) : -1);
      if (sectionEnd < at + 5 || sectionEnd > end) throw new MalformedMessageError('section length');
      const nameEnd = message.indexOf(0, at + 4);
      if (nameEnd < 0 || nameEnd >= sectionEnd) throw new MalformedMessageError('section name');
      const name = message.toString('utf8', at + 4, nameEnd);
      if (sequences.has(name)) throw new MalformedMessageError('two sections of one name');
      sequences.set(name, documentsBetween(message, nameEnd + 1, sectionEnd));
      at = sectionEnd;
    } else throw new MalformedMessageError(`section kind ${kind}`);
  }
  if (!body) throw new MalformedMessageError('no body');
  return {
    requestId,
    kind: 'message',
    silent: (flags & MORE_TO_COME) !== 0,
    body,
    sequences,
    namespace: undefined,
  };
};

const documentsBetween = (message: Buffer, from: number, end: number): Buffer[] => {
  const documents: Buffer[] = [];
  let at = from;
  while (at < end) {
    const next = validate(message, at, end);
    documents.push(message.subarray(at, next));
    at = next;
  }
  return documents;
};

const parseOpQuery = (message: Buffer, requestId: number): Message => {
  const nameEnd = message.indexOf(0, HEADER_LENGTH + 4);
  if (nameEnd < 0) throw new MalformedMessageError('collection name');
  const at = nameEnd + 9;
  const end = validate(message, at, message.length);
  return {
    requestId,
    kind: 'query',
    silent: false,
    body: message.subarray(at, end),
    sequences: new Map(),
    namespace: message.toString('utf8', HEADER_LENGTH + 4, nameEnd),
  };
};

let nextRequestId = 1;

/** Wraps an answer for the message it answers. */
export const replyTo = (message: Message, document: Buffer): Buffer[] => {
  const overhead = message.kind === 'message' ? 5 : 20;
  const head = Buffer.alloc(HEADER_LENGTH + overhead);
  head.writeInt32LE(head.length + document.length, 0);
  head.writeInt32LE(nextRequestId, 4);
  head.writeInt32LE(message.requestId, 8);
  head.writeInt32LE(message.kind === 'message' ? OP_MSG : OP_REPLY, 12);
  // A legacy reply: flags, cursor id, starting from, number returned.
  if (message.kind === 'query') head.writeInt32LE(1, HEADER_LENGTH + 16);
  nextRequestId = (nextRequestId + 1) & 0x7fffffff;
  return [head, document];
};
