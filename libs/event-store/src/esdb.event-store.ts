import { setImmediate as turn } from 'node:timers/promises';
import type { CommandContext, DomainEvent, RecordedEvent } from '@app/kernel';
import { backoff } from './backoff';
import { NoAnswerError, type EsdbClient, type LogSource } from './esdb.client';
import type { EncodedEvent, EventCodec, StoredEvent } from './event-codec';
import { EventStoreUnavailableError, LogBehindReaderError } from './event-store.errors';
import {
  EventStore,
  UnknownOutcomeError,
  type AppendResult,
  type CommandRecord,
  type ExpectedRevision,
  type Fact,
  type SubscribeOptions,
} from './event-store.port';

/** For one try of an append; the same is then sent again. */
const APPEND_TIMEOUT_MS = 10_000;
const APPEND_BACKOFF_MS = 25;
const APPEND_BACKOFF_MAX_MS = 1_000;
const RESUBSCRIBE_BACKOFF_MS = 100;
const RESUBSCRIBE_BACKOFF_MAX_MS = 5_000;
const QUIET_MS = 10_000;

export type EsdbEventStoreOptions = Readonly<{
  /** After how long without an event a subscription is compared with the log; its silence may be a dead connection. */
  quietMs?: number;
}>;

/** The part of the client that is used here. */
export type LogClient = Pick<
  EsdbClient,
  'append' | 'readStream' | 'lastOf' | 'subscribe' | 'eventsOf' | 'newestPosition' | 'recordedAt'
>;

/** The event store behind EventStoreDB's protocol. */
export class EsdbEventStore extends EventStore {
  constructor(
    private readonly client: LogClient,
    private readonly codec: EventCodec,
    private readonly options: EsdbEventStoreOptions = {},
  ) {
    super();
  }

  async append(
    stream: string,
    events: readonly DomainEvent[],
    expected: ExpectedRevision,
    context: CommandContext,
    record?: CommandRecord,
  ): Promise<AppendResult> {
    const encoded = await this.codec.encode(stream, events, context, record);
    return this.appended(stream, encoded, expected, context.deadlineMs);
  }

  override async record(
    stream: string,
    facts: readonly Fact[],
    deadlineMs: number,
    expected: ExpectedRevision | 'any' = 'any',
  ): Promise<AppendResult> {
    const encoded = await Promise.all(
      facts.map(({ event, context }) => this.codec.encode(stream, [event], context)),
    );
    return this.appended(stream, encoded.flat(), expected, deadlineMs);
  }

  private async appended(
    stream: string,
    encoded: readonly EncodedEvent[],
    expected: ExpectedRevision | 'any',
    deadlineMs: number,
  ): Promise<AppendResult> {
    for (let attempt = 0; ; attempt += 1) {
      const timeoutMs = Math.min(APPEND_TIMEOUT_MS, Math.max(1, deadlineMs - Date.now()));
      try {
        return await this.client.append(stream, encoded, expected, timeoutMs);
      } catch (error) {
        if (!(error instanceof NoAnswerError)) throw error;
        // The same ids with the same expectation: the event store recognises what it wrote. Never with the head instead.
        if (Date.now() < deadlineMs) await backoff(attempt, APPEND_BACKOFF_MS, APPEND_BACKOFF_MAX_MS);
        if (Date.now() >= deadlineMs) throw new UnknownOutcomeError(error.message, { cause: error });
      }
    }
  }

  override async *readStream(stream: string, fromRevision = 0): AsyncIterable<RecordedEvent> {
    for await (const events of this.client.readStream(stream, fromRevision))
      yield* await this.codec.decode(events);
  }

  override async lastOf(stream: string): Promise<RecordedEvent | null> {
    const stored = await this.client.lastOf(stream);
    if (stored === null) return null;
    const [event] = await this.codec.decode([stored]);
    return event ?? null;
  }

  override async *subscribe(options: SubscribeOptions): AsyncIterable<readonly RecordedEvent[]> {
    const { batchSizeMax, signal, onState } = options;
    let position = options.after;
    for (let failures = 0; !signal.aborted; failures += 1) {
      const source = this.client.subscribe(position, batchSizeMax);
      void source.confirmed.then(() => onState?.('live'));
      try {
        for await (const stored of this.deliveries(source, () => position, options)) {
          failures = 0;
          position = (stored.at(-1) as StoredEvent).position;
          yield await this.codec.decode(stored);
        }
      } catch (error) {
        if (!(error instanceof EventStoreUnavailableError)) throw error;
        onState?.('cut', error.cause);
      } finally {
        await source.close();
      }
      await backoff(failures, RESUBSCRIBE_BACKOFF_MS, RESUBSCRIBE_BACKOFF_MAX_MS, signal);
    }
  }

  override async *eventsOf(
    types: readonly string[],
    after: bigint | null,
    upTo: bigint,
  ): AsyncIterable<RecordedEvent> {
    for await (const events of this.client.eventsOf(types, after))
      yield* await this.codec.decode(events.filter(({ position }) => position <= upTo));
  }

  override async recordedAt(position: bigint): Promise<string | null> {
    return (await this.client.recordedAt(position))?.toISOString() ?? null;
  }

  override async head(): Promise<bigint | null> {
    return this.client.newestPosition();
  }

  /** Ends when the signal aborts; throws EventStoreUnavailableError where another subscription may have more. */
  private async *deliveries(
    source: LogSource,
    position: () => bigint | null,
    { batchSizeMax, signal }: SubscribeOptions,
  ): AsyncGenerator<readonly StoredEvent[]> {
    const quietMs = this.options.quietMs ?? QUIET_MS;
    let suspected = false;
    while (!signal.aborted) {
      await source.wait(quietMs, signal);
      const arrived: StoredEvent[] = [];
      // A batch ends where nothing more has arrived: one turn of the event loop is what it takes to know.
      while (source.take(arrived, batchSizeMax) && arrived.length < batchSizeMax) await turn();
      const handled = position();
      const events = arrived.filter((event) => handled === null || event.position > handled);
      if (events.length > 0) {
        suspected = false;
        yield events;
      } else if (arrived.length === 0 && !signal.aborted) {
        // Silence is not an error to the client: a first look makes it suspect, a second one makes it a cut.
        const behind = await this.isBehindHead(handled);
        if (behind && suspected)
          throw new EventStoreUnavailableError(new Error('The subscription went quiet.'));
        suspected = behind;
      }
    }
  }

  private async isBehindHead(handled: bigint | null): Promise<boolean> {
    const head = await this.head();
    if (handled !== null && (head === null || head < handled)) throw new LogBehindReaderError(handled, head);
    return head !== null && head !== handled;
  }
}
