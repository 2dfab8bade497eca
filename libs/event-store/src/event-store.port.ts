import type { CommandContext, DomainEvent, RecordedEvent } from '@app/kernel';

/** Revision of the last event the writer has seen, or that it has seen no stream. */
export type ExpectedRevision = number | 'no-stream';

export type AppendResult = Readonly<{
  /** Revision of the last event written. */
  revision: number;
  /** Log position of the last event written. */
  position: bigint;
  /** Of the events written, in order. */
  eventIds: readonly string[];
}>;

/** What goes into metadata beside the context; see EventMeta. */
export type CommandRecord = Readonly<{ mac?: string; answer?: object }>;

/** An event with the context of whoever brought it about. */
export type Fact = Readonly<{ event: DomainEvent; context: CommandContext }>;

export type SubscribeOptions = Readonly<{
  /** The last position that was handled; delivery starts behind it. Null: from the beginning. */
  after: bigint | null;
  /** At most so many events a batch. */
  batchSizeMax: number;
  signal: AbortSignal;
  /** Told of every cut and every recovery, for logs and readiness. */
  onState?: (state: 'live' | 'cut', error?: unknown) => void;
}>;

/** Another writer moved the stream. */
export class RevisionConflictError extends Error {
  constructor(
    readonly stream: string,
    readonly expected: ExpectedRevision | 'any',
  ) {
    super(`Stream ${stream} is not at revision ${expected}.`);
  }
}

/** The append may or may not have happened: only the same append again can tell. */
export class UnknownOutcomeError extends Error {}

/** Events, opened and upcast to the newest version. The one way to the log. */
export abstract class EventStore {
  /**
   * Seals and appends; event ids follow from the command id, the stream, the index and what is written, so that the same
   * append again is the same.
   * Throws RevisionConflictError unless the stream is at `expected`; repeats itself while the outcome is unknown, until the
   * context's deadline, then throws UnknownOutcomeError.
   */
  abstract append(
    stream: string,
    events: readonly DomainEvent[],
    expected: ExpectedRevision,
    context: CommandContext,
    record?: CommandRecord,
  ): Promise<AppendResult>;

  /**
   * Appends what several writers have to say to one stream: all of it or none, in the order given, each under an id of its
   * own context. Whatever the stream's revision, unless one is `expected`: then throws RevisionConflictError. Sends the same
   * again while the outcome is unknown, until `deadlineMs` (epoch), then throws UnknownOutcomeError: the facts may then be
   * there, never twice by the repetition alone.
   */
  abstract record(
    stream: string,
    facts: readonly Fact[],
    deadlineMs: number,
    expected?: ExpectedRevision | 'any',
  ): Promise<AppendResult>;

  /** From `fromRevision` (default 0) on; a stream that does not exist is empty. */
  abstract readStream(stream: string, fromRevision?: number): AsyncIterable<RecordedEvent>;

  /** The last event of a stream; null where it does not exist. Throws EventStoreUnavailableError. */
  abstract lastOf(stream: string): Promise<RecordedEvent | null>;

  /**
   * Every application event of the log in order, then new ones as they come, in batches that end where nothing more has
   * arrived. Pull: the next batch is fetched while this one is handled, no further. Subscribes again by itself, with
   * backoff, behind the last event it yielded. Ends when the signal aborts; throws on an event it cannot read.
   */
  abstract subscribe(options: SubscribeOptions): AsyncIterable<readonly RecordedEvent[]>;

  /**
   * The events of some types behind a position, up to another one that the log has reached, in order; the event store looks
   * for them. Throws EventStoreUnavailableError.
   */
  abstract eventsOf(
    types: readonly string[],
    after: bigint | null,
    upTo: bigint,
  ): AsyncIterable<RecordedEvent>;

  /** When the event at exactly this position was recorded, ISO 8601 UTC; null: there is none. Throws EventStoreUnavailableError. */
  abstract recordedAt(position: bigint): Promise<string | null>;

  /** Position of the newest application event, or null on an empty log. */
  abstract head(): Promise<bigint | null>;
}
