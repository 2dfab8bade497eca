import { setImmediate as turn } from 'node:timers/promises';
import { EventStoreDBClient } from '@eventstore/db-client';
import { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb';
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { EsdbBatchAppend } from './esdb.batch-append';
import {
  backwardsRead,
  forwardsRead,
  lastRead,
  logSubscription,
  readAnswer,
  streamRead,
  typedRead,
  type BatchAppendAnswer,
  type ReadAnswer,
} from './esdb.protocol';
import type { EncodedEvent, StoredEvent } from './event-codec';
import { AppendTooLargeError, EventStoreUnavailableError } from './event-store.errors';
import { RevisionConflictError, type AppendResult, type ExpectedRevision } from './event-store.port';
import { ObjectReader } from './object-reader';

const READ_BUFFER_EVENTS = 256;
/** Some system events are often among the newest; more than a page of them is rare. */
const HEAD_PAGE_SIZES = [16, 1_024] as const;
const HEAD_TIMEOUT_MS = 10_000;

/** A subscription to all application events behind a position, to be pulled. */
export type LogSource = Readonly<{
  /** Moves what has arrived into `target`, up to `max` there. True where something was moved. */
  take: (target: StoredEvent[], max: number) => boolean;
  /**
   * Resolves when something may have arrived, or after `timeoutMs`, or when the signal aborts. Throws
   * EventStoreUnavailableError where the subscription is cut; any other error is for good.
   */
  wait: (timeoutMs: number, signal: AbortSignal) => Promise<void>;
  /** Resolves when the event store has accepted the subscription. */
  confirmed: Promise<void>;
  close: () => Promise<void>;
}>;

/** The append may or may not have happened. */
export class NoAnswerError extends Error {}

/** The one file that knows the event store's client. */
export class EsdbClient {
  private readonly client: EventStoreDBClient;
  private readonly batchAppend: EsdbBatchAppend;
  private head: bigint | null = null;
  /** Up to where the log was searched for `head`. */
  private headSearchedTo = -1n;

  constructor(connectionString: string) {
    this.client = EventStoreDBClient.connectionString(connectionString);
    this.batchAppend = new EsdbBatchAppend(this.client);
  }

  /**
   * One try. Throws RevisionConflictError and AppendTooLargeError, where nothing was written, and NoAnswerError where
   * nobody knows.
   */
  async append(
    stream: string,
    events: readonly EncodedEvent[],
    expected: ExpectedRevision | 'any',
    timeoutMs: number,
  ): Promise<AppendResult> {
    let answer: BatchAppendAnswer;
    try {
      answer = await this.batchAppend.append(stream, events, expected, timeoutMs);
    } catch (error) {
      if (isRefusal(error)) throw error;
      throw new NoAnswerError('The event store did not say whether the append happened.', { cause: error });
    }
    switch (answer.kind) {
      case 'done': {
        const { revision, position } = answer;
        return { revision, position, eventIds: events.map(({ id }) => id) };
      }
      case 'wrong-revision':
        throw new RevisionConflictError(stream, expected);
      case 'too-large':
        throw new AppendTooLargeError();
      case 'refused':
        throw new Error(`The event store refused the append: ${answer.reason}`);
      case 'unknown':
        throw new NoAnswerError(
          `The event store does not know whether the append happened: ${answer.reason}`,
        );
    }
  }

  /** Pieces of a stream, in order; none where it does not exist. Throws EventStoreUnavailableError. */
  readStream(stream: string, fromRevision: number): AsyncGenerator<readonly StoredEvent[]> {
    return this.pieces(streamRead(stream, fromRevision));
  }

  /** The last event of a stream; null where it does not exist. Throws EventStoreUnavailableError. */
  async lastOf(stream: string): Promise<StoredEvent | null> {
    const [last] = await this.collected(lastRead(stream));
    return last ?? null;
  }

  /** About as many events as `bufferEvents` wait to be taken at most. */
  subscribe(after: bigint | null, bufferEvents: number): LogSource {
    const opened = this.read(logSubscription(after)).then((source) => {
      const reader = new ObjectReader<ReadAnswer>(source, bufferEvents);
      return { source, reader };
    });
    // Whoever waits for events is told.
    opened.catch(() => undefined);
    let open: Readonly<{ reader: ObjectReader<ReadAnswer> }> | undefined;
    return {
      take: (target, max) => open?.reader.take(target, max, eventIn) ?? false,
      wait: async (timeoutMs, signal) => {
        open ??= await Promise.race([opened, aborted(signal)]);
        if (open === undefined) return;
        const goesOn = await open.reader.wait(timeoutMs, signal).catch((error: unknown) => {
          throw unlessRefused(error);
        });
        if (!goesOn)
          throw new EventStoreUnavailableError(new Error('The event store ended the subscription.'));
      },
      confirmed: new Promise((resolve) => {
        const look = (answer: ReadAnswer) => {
          if (answer === 'confirmed') resolve();
        };
        opened.then(({ source }) => source.on('data', look)).catch(() => undefined);
      }),
      close: async () => {
        // Fails where there never was a connection to end.
        await opened.then(({ source }) => cancel(source)).catch(() => undefined);
      },
    };
  }

  /** Pieces of what the log holds of these types behind a position. Throws EventStoreUnavailableError. */
  async *eventsOf(types: readonly string[], after: bigint | null): AsyncGenerator<readonly StoredEvent[]> {
    for await (const events of this.pieces(typedRead(types, after))) {
      const behind = events.filter(({ position }) => after === null || position > after);
      if (behind.length > 0) yield behind;
    }
  }

  /** Position of the newest application event; reads backwards no further than the last search got. */
  async newestPosition(): Promise<bigint | null> {
    let newest: bigint | undefined;
    let from: bigint | undefined;
    for (let page = 0; ; page += 1) {
      const maxCount = HEAD_PAGE_SIZES[Math.min(page, HEAD_PAGE_SIZES.length - 1)] as number;
      const events = await this.collected(backwardsRead(from, maxCount));
      newest ??= events[0]?.position;
      const found = events.find(
        (event) => !event.type.startsWith('$') || event.position <= this.headSearchedTo,
      );
      if (found !== undefined && found.position > this.headSearchedTo) this.head = found.position;
      if (found !== undefined || events.length < maxCount) break;
      from = events.at(-1)?.position;
    }
    if (newest !== undefined) this.headSearchedTo = newest;
    return this.head;
  }

  /** When the event at exactly this position was recorded; null: there is none. Throws EventStoreUnavailableError. */
  async recordedAt(position: bigint): Promise<Date | null> {
    try {
      const [event] = await this.collected(forwardsRead(position, 1));
      return event?.position === position ? event.recordedAt : null;
    } catch (error) {
      if (isInvalidPosition(error)) return null;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.client.dispose();
  }

  /** Pieces of what a read answers with. Throws EventStoreUnavailableError, also where `timeout` aborts before its end. */
  private async *pieces(request: Buffer, timeout?: AbortSignal): AsyncGenerator<readonly StoredEvent[]> {
    const source = await this.read(request);
    const reader = new ObjectReader<ReadAnswer>(source, READ_BUFFER_EVENTS);
    try {
      while (await reader.wait(undefined, timeout)) {
        if (timeout?.aborted) throw new Error(`No answer within ${HEAD_TIMEOUT_MS} ms.`);
        // Messages come one by one; in a turn of the event loop all that is there arrives, for a short stream its end too.
        await turn();
        const events: StoredEvent[] = [];
        if (reader.take(events, READ_BUFFER_EVENTS, eventIn)) yield events;
      }
    } catch (error) {
      throw unlessRefused(error);
    } finally {
      if (reader.isOpen()) cancel(source);
    }
  }

  /** For a read of few events. */
  private async collected(request: Buffer): Promise<readonly StoredEvent[]> {
    const events: StoredEvent[] = [];
    const timeout = AbortSignal.timeout(HEAD_TIMEOUT_MS);
    for await (const piece of this.pieces(request, timeout)) events.push(...piece);
    return events;
  }

  /** Throws EventStoreUnavailableError where there is no connection. */
  private async read(request: Buffer): Promise<ClientReadableStream<ReadAnswer>> {
    try {
      return await this.client['GRPCStreamCreator'](StreamsClient, 'read', (client) =>
        client.makeServerStreamRequest(
          READ,
          (bytes: Buffer) => bytes,
          readAnswer,
          request,
          ...this.client['callArguments']({}, { deadline: Infinity }),
        ),
      )();
    } catch (error) {
      throw unlessRefused(error);
    }
  }
}

const aborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });

/** In a turn of its own: grpc-js fails on a call that is cancelled while it hands over a message (grpc-node issue 1652). */
const cancel = (source: ClientReadableStream<unknown>): void => void setImmediate(() => source.cancel());

const READ = '/event_store.client.streams.Streams/Read';

/** The server understood and said no: trying the same again is of no use. */
const isRefusal = (error: unknown): boolean => {
  const { code, metadata } = (error ?? {}) as Partial<ServiceError>;
  return (
    error instanceof TypeError ||
    REFUSAL_CODES.has(code) ||
    metadata?.get('exception').includes('stream-deleted') === true
  );
};

/** A refusal as it is; for everything else, what says that the same again may succeed. */
const unlessRefused = (error: unknown): unknown =>
  isRefusal(error) ? error : new EventStoreUnavailableError(error);

/** Servers have no code of its own for a position at which no event begins: UNKNOWN, and what they say of it. */
const isInvalidPosition = (error: unknown): boolean => {
  if (!(error instanceof EventStoreUnavailableError)) return false;
  const { code, message } = (error.cause ?? {}) as { code?: unknown; message?: unknown };
  return code === 2 && /position/i.test(String(message));
};

/** gRPC: INVALID_ARGUMENT, PERMISSION_DENIED, UNIMPLEMENTED, UNAUTHENTICATED. */
const REFUSAL_CODES: ReadonlySet<unknown> = new Set([3, 7, 12, 16]);

const eventIn = (answer: ReadAnswer): StoredEvent | undefined =>
  typeof answer === 'string' ? undefined : answer;
