import type { Readable } from 'node:stream';
import {
  AccessDeniedError,
  BACKWARDS,
  END,
  EventStoreDBClient,
  InvalidArgumentError,
  START,
  StreamDeletedError,
  StreamNotFoundError,
  UnsupportedError,
  excludeSystemEvents,
  type AllStreamResolvedEvent,
  type ResolvedEvent,
} from '@eventstore/db-client';
import { EsdbBatchAppend, type BatchAppendAnswer } from './esdb.batch-append';
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
  async *readStream(stream: string, fromRevision: number): AsyncGenerator<readonly StoredEvent[]> {
    const source = this.client.readStream(
      stream,
      { fromRevision: fromRevision === 0 ? START : BigInt(fromRevision) },
      { highWaterMark: READ_BUFFER_EVENTS },
    );
    const reader = new ObjectReader<ResolvedEvent>(source as unknown as Readable);
    try {
      while (await reader.wait()) {
        const events: StoredEvent[] = [];
        if (reader.take(events, READ_BUFFER_EVENTS, storedEvent)) yield events;
      }
    } catch (error) {
      if (error instanceof StreamNotFoundError) return;
      throw isRefusal(error) ? error : new EventStoreUnavailableError(error);
    } finally {
      await cancel(source, reader);
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
    const reader = new ObjectReader<AllStreamResolvedEvent>(source as unknown as Readable);
    return {
      take: (target, max) => reader.take(target, max, storedEvent),
      wait: async (timeoutMs, signal) => {
        const open = await reader.wait(timeoutMs, signal).catch((error: unknown) => {
          throw isRefusal(error) ? error : new EventStoreUnavailableError(error);
        });
        if (!open) throw new EventStoreUnavailableError(new Error('The event store ended the subscription.'));
      },
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
    const timeout = AbortSignal.timeout(HEAD_TIMEOUT_MS);
    const events: StoredEvent[] = [];
    try {
      while (await reader.wait(undefined, timeout)) {
        if (timeout.aborted) throw new Error(`No answer within ${HEAD_TIMEOUT_MS} ms.`);
        reader.take(events, maxCount, storedEvent);
      }
    } catch (error) {
      throw isRefusal(error) ? error : new EventStoreUnavailableError(error);
    } finally {
      await cancel(source, reader);
    }
    return events;
  }
}

/** Ends a read that was left early; one that has ended is left alone, since resetting its call costs more than the read. */
const cancel = async (
  source: Readonly<{ cancel: () => Promise<void> }>,
  reader: ObjectReader<unknown>,
): Promise<void> => {
  // Fails where there never was a connection to end.
  if (reader.isOpen()) await source.cancel().catch(() => undefined);
};

/** The server understood and said no: trying the same again is of no use. */
const isRefusal = (error: unknown): boolean =>
  error instanceof AccessDeniedError ||
  error instanceof InvalidArgumentError ||
  error instanceof StreamDeletedError ||
  error instanceof UnsupportedError ||
  error instanceof TypeError ||
  REFUSAL_CODES.has((error as { code?: unknown } | null)?.code);

/** gRPC: INVALID_ARGUMENT, PERMISSION_DENIED, UNIMPLEMENTED, UNAUTHENTICATED. */
const REFUSAL_CODES: ReadonlySet<unknown> = new Set([3, 7, 12, 16]);

/** Undefined for a link whose event is gone. */
const storedEvent = ({ event }: ResolvedEvent | AllStreamResolvedEvent): StoredEvent | undefined => {
  if (event === undefined) return undefined;
  const { id, streamId, revision, position, type, created, data, metadata } = event;
  return {
    id,
    stream: streamId,
    revision: Number(revision),
    position: position?.commit ?? 0n,
    type,
    recordedAt: created,
    data,
    metadata,
  };
};
