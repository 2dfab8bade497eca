import { type MethodDefinition, type sendUnaryData, Server, ServerCredentials } from '@grpc/grpc-js';
import { ServerFeaturesService } from '@eventstore/db-client/generated/serverfeatures_grpc_pb';
import { SupportedMethod, SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb';
import { StreamsService } from '@eventstore/db-client/generated/streams_grpc_pb';
import type { EventStoreEngine } from '../engine/event-store.engine';
import { AppendService } from './append.service';
import { framesAsOneMessage } from './frame-batch';
import { ReadService } from './read.service';

/** Told to clients that ask: not EventStoreDB, and which behaviour it follows. */
const SERVER_VERSION = 'regulars-embedded (follows 24.6)';
const SERVICE_NAME = 'event_store.client.streams.streams';
const METHODS: Readonly<Record<string, readonly string[]>> = {
  read: ['position', 'events'],
  append: [],
  delete: [],
  tombstone: [],
  batchappend: ['deadline_duration'],
};
const LOOPBACK = '127.0.0.1';
/** Above the client's default batch of 3 MiB. */
const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
const SHUTDOWN_MS = 1_000;

type RawMethod = MethodDefinition<Buffer, Buffer>;

/** The shipped definition of a method, with messages left packed: they are (un)packed by hand, for speed. */
const raw = (
  method: { path: string; requestStream: boolean; responseStream: boolean },
  framed = false,
): RawMethod => ({
  path: method.path,
  requestStream: method.requestStream,
  responseStream: method.responseStream,
  requestSerialize: (message) => message,
  requestDeserialize: (message) => message,
  responseSerialize: framed ? framesAsOneMessage : (message) => message,
  responseDeserialize: (message) => message,
});

const supportedMethods = (): SupportedMethods => {
  const answer = new SupportedMethods();
  answer.setEventStoreServerVersion(SERVER_VERSION);
  for (const [name, features] of Object.entries(METHODS)) {
    const method = new SupportedMethod();
    method.setServiceName(SERVICE_NAME);
    method.setMethodName(name);
    method.setFeaturesList([...features]);
    answer.addMethods(method);
  }
  return answer;
};

/** The gRPC server: the streams service and server features; any other method is answered UNIMPLEMENTED. */
export class EventStoreServer {
  private readonly server = new Server({
    'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
    'grpc.max_send_message_length': -1,
  });
  private readonly reads: ReadService;
  private readonly appends: AppendService;

  constructor(engine: EventStoreEngine) {
    this.reads = new ReadService(engine);
    this.appends = new AppendService(engine);
    this.server.addService(
      {
        read: raw(StreamsService.read, true),
        append: raw(StreamsService.append),
        batchAppend: raw(StreamsService.batchAppend, true),
        delete: raw(StreamsService.delete),
        tombstone: raw(StreamsService.tombstone),
      },
      {
        read: this.reads.handle,
        append: this.appends.append,
        batchAppend: this.appends.batchAppend,
        delete: this.appends.delete,
        tombstone: this.appends.tombstone,
      },
    );
    this.server.addService(ServerFeaturesService, {
      getSupportedMethods: (_call: unknown, callback: sendUnaryData<SupportedMethods>) =>
        callback(null, supportedMethods()),
    });
  }

  /** Listens on the loopback address only; resolves with the port. Rejects when the port cannot be had. */
  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.bindAsync(`${LOOPBACK}:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
  }

  /** Ends open calls as unavailable, so that clients reconnect elsewhere or later. */
  async close(): Promise<void> {
    await this.reads.close();
    this.appends.close();
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => {
        this.server.forceShutdown();
        resolve();
      }, SHUTDOWN_MS);
      this.server.tryShutdown(() => {
        clearTimeout(force);
        resolve();
      });
    });
  }
}
