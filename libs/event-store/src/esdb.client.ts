import type { Readable } from 'node:stream';
import {
  AccessDeniedError,
  BACKWARDS,
  END,
  EventStoreDBClient,
  InvalidArgumentError,
  MaxAppendSizeExceededError,
  NO_STREAM,
  START,
  StreamDeletedError,
  StreamNotFoundError,
  UnsupportedError,
  WrongExpectedVersionError,
  excludeSystemEvents,
  jsonEvent,
  type AllStreamResolvedEvent,
  type ResolvedEvent,
} from '@eventstore/db-client';
import type { EncodedEvent, StoredEvent } from './event-codec';
import { AppendTooLargeError, EventStoreUnavailableError } from './event-store.errors';
import { RevisionConflictError, type AppendResult, type ExpectedRevision } from './event-store.port';
import { ObjectReader } from './object-reader';

const READ_BUFFER_EVENTS = 256;
/** Some system events are often among the newest; more than a page of them is rare. */
const HEAD_PAGE_SIZES = [16, 1_024] as const;

/** A subscription to all application events behind a position, to be pulled. */
export type LogSource = Readonly<{
  reader: ObjectReader<AllStreamResolvedEvent>;
  confirmed: Promise<void>;
  close: () => Promise<void>;
}>;

/** The append may or may not have happened. */
export class NoAnswerError extends Error {}

/** The one file that knows the event store's client. */
export class EsdbClient {
  private readonly client: EventStoreDBClient;
  private head: bigint | null = null;
  /** Up to where the log was searched for `head`. */
  private headSearchedTo = -1n;

  constructor(connectionString: string) {
    this.client = EventStoreDBClient.connectionString(connectionString);
  }

  /**
   * One try. Throws RevisionConflictError and AppendTooLargeError, where nothing was written, and NoAnswerError where
   * nobody knows.
   */
  async append(
    stream: string,
    events: readonly EncodedEvent[],
    expected: ExpectedRevision,
    timeoutMs: number,
  ): Promise<AppendResult> {
    try {
      // Credentials are in the connection string: given a call, they would turn the client's batch append off.
      const sent = this.client.appendToStream(
        stream,
        events.map((event) => jsonEvent({ ...event, metadata: { ...event.metadata } })),
        { expectedRevision: expected === 'no-stream' ? NO_STREAM : BigInt(expected), deadline: timeoutMs },
      );
      const { nextExpectedRevision, position } = await within(timeoutMs, sent);
      if (position === undefined) throw new NoAnswerError('The event store answered without a position.');
      return {
        revision: Number(nextExpectedRevision),
        position: position.commit,
        eventIds: events.map(({ id }) => id),
      };
    } catch (error) {
      if (error instanceof WrongExpectedVersionError) throw new RevisionConflictError(stream, expected);
      if (error instanceof MaxAppendSizeExceededError) throw new AppendTooLargeError();
      if (isRefusal(error)) throw error;
      throw new NoAnswerError('The event store did not say whether the append happened.', { cause: error });
    }
  }

  /** Pieces of a stream, in order; none where it does not exist. Throws EventStoreUnavailableError. */
  async *readStream(stream: string, fromRevision: number): AsyncGenerator<readonly StoredEvent[]> {
    const source = this.client.readStream(
      stream,
      { fromRevision: fromRevision === 0 ? START : BigInt(fromRevision) },
      { highWaterMark: READ_BUFFER_EVENTS },
    );
    const reader = new ObjectReader<ResolvedEvent>(source as unknown as Readable);
    try {
      while (await reader.wait()) {
        const events: ResolvedEvent[] = [];
        if (reader.take(events, READ_BUFFER_EVENTS)) yield events.flatMap(storedEvent);
      }
    } catch (error) {
      if (error instanceof StreamNotFoundError) return;
      throw isRefusal(error) ? error : new EventStoreUnavailableError(error);
    } finally {
      await source.cancel().catch(() => undefined);
    }
  }

  /** At most `bufferEvents` events wait to be taken. */
  subscribe(after: bigint | null, bufferEvents: number): LogSource {
    const source = this.client.subscribeToAll(
      {
        fromPosition: after === null ? START : { commit: after, prepare: after },
        filter: excludeSystemEvents(),
      },
      { highWaterMark: bufferEvents },
    );
    return {
      reader: new ObjectReader(source as unknown as Readable),
      confirmed: new Promise((resolve) => source.once('confirmation', () => resolve())),
      close: async () => {
        // Fails where there never was a connection to end.
        await source.unsubscribe().catch(() => undefined);
        source.destroy();
      },
    };
  }

  /** Position of the newest application event; reads backwards no further than the last search got. */
  async newestPosition(): Promise<bigint | null> {
    let newest: bigint | undefined;
    let from: bigint | undefined;
    for (let page = 0; ; page += 1) {
      const maxCount = HEAD_PAGE_SIZES[Math.min(page, HEAD_PAGE_SIZES.length - 1)] as number;
      const events = await this.readBackwards(from, maxCount);
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

  async close(): Promise<void> {
    await this.client.dispose();
  }

  private async readBackwards(from: bigint | undefined, maxCount: number): Promise<readonly StoredEvent[]> {
    const source = this.client.readAll({
      direction: BACKWARDS,
      fromPosition: from === undefined ? END : { commit: from, prepare: from },
      maxCount,
    });
    const reader = new ObjectReader<AllStreamResolvedEvent>(source as unknown as Readable);
    const events: AllStreamResolvedEvent[] = [];
    try {
      while (await reader.wait()) reader.take(events, maxCount);
    } catch (error) {
      throw isRefusal(error) ? error : new EventStoreUnavailableError(error);
    } finally {
      await source.cancel().catch(() => undefined);
    }
    return events.flatMap(storedEvent);
  }
}

/** The server understood and said no: trying the same again is of no use. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof AccessDeniedError ||
  error instanceof InvalidArgumentError ||
  error instanceof StreamDeletedError ||
  error instanceof UnsupportedError ||
  error instanceof TypeError ||
  REFUSAL_CODES.has((error as { code?: unknown } | null)?.code);

/** gRPC: INVALID_ARGUMENT, PERMISSION_DENIED, UNIMPLEMENTED, UNAUTHENTICATED. */
const REFUSAL_CODES: ReadonlySet<unknown> = new Set([3, 7, 12, 16]);

/** None for a link whose event is gone. */
export const storedEvent = ({ event }: ResolvedEvent | AllStreamResolvedEvent): StoredEvent[] => {
  if (event === undefined) return [];
  const { id, streamId, revision, position, type, created, data, metadata } = event;
  return [
    {
      id,
      stream: streamId,
      revision: Number(revision),
      position: position?.commit ?? 0n,
      type,
      recordedAt: created,
      data,
      metadata,
    },
  ];
};

/** The client waits for ever where a connection dies without a word. */
const within = async <T>(timeoutMs: number, promise: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswerError(`No answer within ${timeoutMs} ms.`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
};
