import { randomUUID } from 'node:crypto';
import type { EventStoreDBClient } from '@eventstore/db-client';
import { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb';
import shared from '@eventstore/db-client/generated/shared_pb';
import streams from '@eventstore/db-client/generated/streams_pb';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import empty from 'google-protobuf/google/protobuf/empty_pb';
import { within } from './deadline';
import type { EncodedEvent } from './event-codec';
import type { ExpectedRevision } from './event-store.port';

/** How an append ended; `unknown` where the event store itself does not know. */
export type BatchAppendAnswer =
  | Readonly<{ kind: 'done'; revision: number; position: bigint }>
  | Readonly<{ kind: 'wrong-revision' | 'too-large' | 'refused' | 'unknown'; reason: string }>;

type Call = ClientDuplexStream<streams.BatchAppendReq, streams.BatchAppendResp>;
type Waiter = Readonly<{ resolve: (answer: BatchAppendAnswer) => void; reject: (error: unknown) => void }>;
type OpenCall = Readonly<{ call: Call; waiting: Map<string, Waiter> }>;

/** The last part of the type name of an error's details, and what it means. */
const ERRORS: Readonly<Partial<Record<string, 'wrong-revision' | 'too-large' | 'refused'>>> = {
  WrongExpectedVersion: 'wrong-revision',
  MaximumAppendSizeExceeded: 'too-large',
  StreamDeleted: 'refused',
  AccessDenied: 'refused',
  BadRequest: 'refused',
};

/**
 * Appends over one BatchAppend call, on the client's own channel and with its reconnection. The client's
 * `appendToStream` does the same, but keeps what waits for an answer in one map for all clients of the process: when one
 * connection breaks it forgets the appends of the others, whose answers then throw where nobody catches; and writes that
 * wait for a slow server are rejected where nobody listens. It also sends a deadline by this machine's clock, and encodes
 * each event twice.
 */
export class EsdbBatchAppend {
  private open: Promise<OpenCall> | undefined;

  constructor(private readonly client: EventStoreDBClient) {}

  /** Rejects where the connection broke or could not be made: the append may then have happened or not. */
  async append(
    stream: string,
    events: readonly EncodedEvent[],
    expected: ExpectedRevision | 'any',
    timeoutMs: number,
  ): Promise<BatchAppendAnswer> {
    const late = () => new Error(`No answer within ${timeoutMs} ms.`);
    const { call, waiting } = await within(timeoutMs, (this.open ??= this.start()), late);
    const correlationId = randomUUID();
    try {
      const answered = new Promise<BatchAppendAnswer>((resolve, reject) => {
        waiting.set(correlationId, { resolve, reject });
        call.write(requestOf(correlationId, stream, events, expected));
      });
      return await within(timeoutMs, answered, late);
    } finally {
      waiting.delete(correlationId);
    }
  }

  private async start(): Promise<OpenCall> {
    const forget = () => (this.open = undefined);
    try {
      const call = await this.client['GRPCStreamCreator'](StreamsClient, 'batchAppend', (client) =>
        client.batchAppend(...this.client['callArguments']({}, { deadline: Infinity })),
      )();
      const waiting = new Map<string, Waiter>();
      const cut = (error: unknown) => {
        forget();
        for (const { reject } of waiting.values()) reject(error);
        waiting.clear();
      };
      call.on('data', (response: streams.BatchAppendResp) => {
        // An answer that came too late has nobody waiting.
        waiting.get(correlationIdOf(response))?.resolve(answerOf(response));
      });
      call.on('error', cut);
      call.on('end', () => cut(new Error('The event store ended the call.')));
      call.on('close', () => cut(new Error('The call was closed.')));
      return { call, waiting };
    } catch (error) {
      forget();
      throw error;
    }
  }
}

const requestOf = (
  correlationId: string,
  stream: string,
  events: readonly EncodedEvent[],
  expected: ExpectedRevision | 'any',
): streams.BatchAppendReq => {
  const options = new streams.BatchAppendReq.Options();
  options.setStreamIdentifier(new shared.StreamIdentifier().setStreamName(bytesOf(stream)));
  if (expected === 'any') options.setAny(new empty.Empty());
  else if (expected === 'no-stream') options.setNoStream(new empty.Empty());
  else options.setStreamPosition(String(expected));
  const request = new streams.BatchAppendReq();
  request.setCorrelationId(new shared.UUID().setString(correlationId));
  request.setOptions(options);
  request.setProposedMessagesList(events.map(messageOf));
  request.setIsFinal(true);
  return request;
};

const messageOf = ({ id, type, data, metadata }: EncodedEvent): streams.BatchAppendReq.ProposedMessage => {
  const message = new streams.BatchAppendReq.ProposedMessage();
  message.setId(new shared.UUID().setString(id));
  message.getMetadataMap().set('type', type).set('content-type', 'application/json');
  message.setData(bytesOf(JSON.stringify(data)));
  message.setCustomMetadata(bytesOf(JSON.stringify(metadata)));
  return message;
};

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8');

const correlationIdOf = (response: streams.BatchAppendResp): string => {
  const id = response.getCorrelationId();
  const structured = id?.getStructured();
  if (structured === undefined) return id?.getString() ?? '';
  const hex = [structured.getMostSignificantBits(), structured.getLeastSignificantBits()]
    .map((bits) => BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0'))
    .join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
};

const answerOf = (response: streams.BatchAppendResp): BatchAppendAnswer => {
  const success = response.getSuccess();
  const position = success?.getPosition()?.getCommitPosition();
  if (success !== undefined && position !== undefined) {
    return { kind: 'done', revision: Number(success.getCurrentRevision()), position: BigInt(position) };
  }
  const error = response.getError();
  // `type.googleapis.com/event_store.client.WrongExpectedVersion`
  const name = error?.getDetails()?.getTypeName().split('.').at(-1) ?? '';
  return { kind: ERRORS[name] ?? 'unknown', reason: error?.getMessage() ?? 'No position was given.' };
};
