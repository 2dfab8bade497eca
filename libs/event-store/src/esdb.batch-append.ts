import { randomUUID } from 'node:crypto';
import type { EventStoreDBClient } from '@eventstore/db-client';
import { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { within } from './deadline';
import { batchAppendAnswer, batchAppendRequest, type BatchAppendAnswer } from './esdb.protocol';
import type { EncodedEvent } from './event-codec';
import type { ExpectedRevision } from './event-store.port';

type Call = ClientDuplexStream<Buffer, BatchAppendAnswer>;
type Waiter = Readonly<{ resolve: (answer: BatchAppendAnswer) => void; reject: (error: unknown) => void }>;
type OpenCall = Readonly<{ call: Call; waiting: Map<string, Waiter> }>;

const BATCH_APPEND = '/event_store.client.streams.Streams/BatchAppend';

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
        call.write(batchAppendRequest(correlationId, stream, events, expected));
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
        client.makeBidiStreamRequest(
          BATCH_APPEND,
          (request: Buffer) => request,
          batchAppendAnswer,
          ...this.client['callArguments']({}, { deadline: Infinity }),
        ),
      )();
      const waiting = new Map<string, Waiter>();
      const cut = (error: unknown) => {
        forget();
        for (const { reject } of waiting.values()) reject(error);
        waiting.clear();
      };
      call.on('data', (answer: BatchAppendAnswer) => {
        // An answer that came too late has nobody waiting.
        waiting.get(answer.correlationId)?.resolve(answer);
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
