import { credentials, type ServiceError } from '@grpc/grpc-js';
import { Empty, StreamIdentifier, UUID } from '@eventstore/db-client/generated/shared_pb';
import { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb';
import {
  AppendReq,
  type AppendResp,
  BatchAppendReq,
  type BatchAppendResp,
  ReadReq,
  type ReadResp,
} from '@eventstore/db-client/generated/streams_pb';
import { randomUUID } from 'node:crypto';
import { within } from './event-store.probe';

const NOTHING = new Empty();

export const identifierOf = (stream: string): StreamIdentifier => {
  const identifier = new StreamIdentifier();
  identifier.setStreamName(Buffer.from(stream).toString('base64'));
  return identifier;
};

const uuid = (text: string): UUID => {
  const id = new UUID();
  id.setString(text);
  return id;
};

export type RawEvent = Readonly<{ id?: string; metadata?: Record<string, string>; data?: Buffer }>;
const METADATA = { type: 'test.Happened.v1', 'content-type': 'application/json' };

/** Calls that the client's own functions do not make, or that it would refuse before sending. */
export class RawCalls {
  private readonly client: StreamsClient;

  constructor(connectionString: string) {
    this.client = new StreamsClient(new URL(connectionString).host, credentials.createInsecure());
  }

  /** Resolves with all messages, or rejects with the status. `stop` ends a call that goes on for ever. */
  read(change: (options: ReadReq.Options) => void, stop: (messages: ReadResp[]) => boolean = () => false) {
    const options = new ReadReq.Options();
    const ids = new ReadReq.Options.UUIDOption();
    ids.setString(NOTHING);
    options.setUuidOption(ids);
    options.setNoFilter(NOTHING);
    change(options);
    const request = new ReadReq();
    request.setOptions(options);
    const messages: ReadResp[] = [];
    const call = this.client.read(request);
    return within(
      new Promise<ReadResp[]>((resolve, reject) => {
        call.on('error', reject);
        call.on('end', () => resolve(messages));
        call.on('data', (message: ReadResp) => {
          messages.push(message);
          if (!stop(messages)) return;
          call.removeAllListeners('error').on('error', () => undefined);
          call.cancel();
          resolve(messages);
        });
      }),
      'the end of a raw read',
    );
  }

  /** The Append call, with events as they are given. */
  append(
    stream: string,
    events: readonly RawEvent[],
    expect: (options: AppendReq.Options) => void,
  ): Promise<AppendResp> {
    return within(
      new Promise((resolve, reject) => {
        const call = this.client.append((error: ServiceError | null, response: AppendResp) =>
          error ? reject(error) : resolve(response),
        );
        call.on('error', () => undefined);
        const options = new AppendReq.Options();
        options.setStreamIdentifier(identifierOf(stream));
        expect(options);
        const head = new AppendReq();
        head.setOptions(options);
        call.write(head);
        for (const event of events) {
          const message = new AppendReq.ProposedMessage();
          message.setId(uuid(event.id ?? randomUUID()));
          for (const [key, value] of Object.entries(event.metadata ?? METADATA))
            message.getMetadataMap().set(key, value);
          message.setData(event.data ?? Buffer.from('{}'));
          const request = new AppendReq();
          request.setProposedMessage(message);
          call.write(request);
        }
        call.end();
      }),
      'the answer to a raw append',
    );
  }

  /** One BatchAppend of one message. */
  async batchAppend(stream: string, events: readonly RawEvent[], change?: (request: BatchAppendReq) => void) {
    const request = new BatchAppendReq();
    request.setCorrelationId(uuid(randomUUID()));
    const options = new BatchAppendReq.Options();
    options.setStreamIdentifier(identifierOf(stream));
    options.setAny(NOTHING);
    request.setOptions(options);
    for (const event of events) {
      const message = new BatchAppendReq.ProposedMessage();
      message.setId(uuid(event.id ?? randomUUID()));
      for (const [key, value] of Object.entries(event.metadata ?? METADATA))
        message.getMetadataMap().set(key, value);
      message.setData(event.data ?? Buffer.from('{}'));
      request.addProposedMessages(message);
    }
    request.setIsFinal(true);
    change?.(request);
    const call = this.client.batchAppend();
    try {
      return await within(
        new Promise<BatchAppendResp>((resolve, reject) => {
          call.on('error', reject);
          call.on('data', resolve);
          call.write(request);
        }),
        'the answer to a raw batch append',
      );
    } finally {
      call.removeAllListeners('error').on('error', () => undefined);
      call.cancel();
    }
  }

  close(): void {
    this.client.close();
  }
}

export const codeOf = async (work: Promise<unknown>): Promise<number> => {
  try {
    await work;
    return 0;
  } catch (error) {
    return (error as ServiceError).code;
  }
};
