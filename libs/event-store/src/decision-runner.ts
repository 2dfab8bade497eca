import type { CommandContext, Decider, DomainEvent, Outcome, RecordedEvent } from '@app/kernel';
import { DomainError } from '@app/kernel';
import { LRUCache } from 'lru-cache';
import { backoff } from './backoff';
import type { AnsweredCommand } from './command-records';
import {
  IdempotencyConflictError,
  NaturalKeyConflictError,
  StaleRevisionError,
  StreamBusyError,
} from './decision.errors';
import { EventStoreUnavailableError } from './event-store.errors';
import { EventStore, RevisionConflictError, type AppendResult, type CommandRecord } from './event-store.port';
import { FoldedStream, type Fold } from './folded-stream';
import type { PayloadMac } from './payload-mac';
import { commandMetaOf, lastOf, storedMetadataOf } from './stored-metadata';
import { StreamQueue } from './stream-queue';

const RETRY_BACKOFF_MS = 5;
const RETRY_BACKOFF_MAX_MS = 250;
const CACHE_BYTES = 64 * 2 ** 20;
const QUEUE_LENGTH_MAX = 1_000;
const READ_DEADLINE_MS = 10_000;

export type DecisionRunnerOptions = Readonly<{
  /** For folded states, by estimate. */
  cacheBytesMax?: number;
  /** Commands that may wait for one stream. */
  queueLengthMax?: number;
}>;

export type DecisionOptions = Readonly<{
  /** The stream is believed not to exist: the first try appends without reading. */
  fresh?: boolean;
  /**
   * What makes a repeated command the same: what the client sent, nothing that differs from try to try. Default: the
   * command without `now`.
   */
  payload?: object;
}>;

type Verdict<E extends DomainEvent, A extends object> =
  | Readonly<{ kind: 'answer'; outcome: Outcome<A> }>
  | Readonly<{ kind: 'refusal'; error: unknown }>
  | Readonly<{ kind: 'append'; events: readonly E[]; answer: A }>;

/**
 * The write side's only I/O: folds a stream, decides, appends at the revision folded. Commands on one stream queue in
 * this process; races with other processes are tried again until the context's deadline.
 *
 * Folded states are kept, so that a command on a known stream costs one append. A kept state may be behind the stream,
 * so it may only lead to an append, which fails if it is: every other verdict on it (a refusal, nothing to do, another
 * revision than If-Match names, a repeated command) is reached again after reading what was added.
 */
export class DecisionRunner {
  private readonly cache: LRUCache<string, FoldedStream<unknown, never>>;
  private readonly queue: StreamQueue;

  constructor(
    private readonly store: EventStore,
    private readonly macs: PayloadMac,
    options: DecisionRunnerOptions = {},
  ) {
    this.cache = new LRUCache({ maxSize: options.cacheBytesMax ?? CACHE_BYTES });
    this.queue = new StreamQueue(options.queueLengthMax ?? QUEUE_LENGTH_MAX);
  }

  /**
   * Throws what `decide` throws (refusals are not remembered), StaleRevisionError, IdempotencyConflictError,
   * NaturalKeyConflictError, StreamBusyError, UnknownOutcomeError, and what EventStore.append throws.
   */
  run<S, C, E extends DomainEvent, A extends object>(
    decider: Decider<S, C, E, A>,
    stream: string,
    command: C,
    context: CommandContext,
    options: DecisionOptions = {},
  ): Promise<Outcome<A>> {
    return this.queue.run(stream, context.deadlineMs, () =>
      this.inTurn(decider, stream, command, context, options),
    );
  }

  /**
   * The state at the stream's head at the time of the call, or later. It is the one that decisions are made on, and goes
   * on changing: take from it what you need before you wait for anything, and never write to it.
   */
  read<S, C, E extends DomainEvent, A extends object>(
    decider: Decider<S, C, E, A>,
    stream: string,
  ): Promise<Readonly<{ state: S; revision: number | null }>> {
    return this.queue.run(stream, Date.now() + READ_DEADLINE_MS, async () => {
      const folded = this.kept(decider, stream) ?? new FoldedStream(decider);
      await this.guarded(decider, stream, folded, () => this.catchUp(stream, folded));
      return { state: folded.state, revision: folded.revision < 0 ? null : folded.revision };
    });
  }

  private async inTurn<S, C, E extends DomainEvent, A extends object>(
    decider: Decider<S, C, E, A>,
    stream: string,
    command: C,
    context: CommandContext,
    options: DecisionOptions,
  ): Promise<Outcome<A>> {
    const naturalKey = decider.naturalKey?.ofCommand(command);
    const mac =
      context.repeatable || naturalKey !== undefined
        ? this.macs.of(options.payload ?? withoutInstant(command as object))
        : undefined;
    const kept = this.kept(decider, stream);
    const folded = kept ?? new FoldedStream(decider);
    return this.guarded(decider, stream, folded, async () => {
      let upToDate = false;
      if (kept === undefined && options.fresh !== true) {
        await this.catchUpInTime(stream, folded, context);
        upToDate = true;
      }
      for (let conflicts = 0; ;) {
        const verdict = judge(decider, command, context, folded, naturalKey, mac);
        if (verdict.kind === 'append') {
          const record = mac === undefined ? undefined : { mac, answer: verdict.answer };
          const outcome = await this.append(stream, folded, verdict.events, verdict.answer, context, record);
          if (outcome !== undefined) return outcome;
          conflicts += 1;
          if (conflicts > 1) await backoff(conflicts, RETRY_BACKOFF_MS, RETRY_BACKOFF_MAX_MS);
          if (Date.now() >= context.deadlineMs) throw new StreamBusyError();
        } else if (upToDate) {
          if (verdict.kind === 'refusal') throw verdict.error;
          return verdict.outcome;
        }
        await this.catchUpInTime(stream, folded, context);
        upToDate = true;
      }
    });
  }

  /** Undefined where another writer was faster. The events are folded only once they are facts: evolve may write into the state. */
  private async append<S, E extends DomainEvent, A extends object>(
    stream: string,
    folded: FoldedStream<S, E>,
    events: readonly E[],
    answer: A,
    context: CommandContext,
    record: CommandRecord | undefined,
  ): Promise<Outcome<A> | undefined> {
    const before = folded.revision;
    try {
      const appended = await this.store.append(
        stream,
        events,
        before < 0 ? 'no-stream' : before,
        context,
        record,
      );
      for (const event of asRecorded(events, stream, before + 1, appended, context, record))
        folded.fold(event);
      return { answer, revision: appended.revision, position: appended.position, replayed: false };
    } catch (error) {
      if (error instanceof RevisionConflictError) return undefined;
      throw error;
    }
  }

  private async catchUp<S, E extends DomainEvent>(stream: string, folded: FoldedStream<S, E>): Promise<void> {
    for await (const event of this.store.readStream(stream, folded.revision + 1)) {
      folded.fold(event as RecordedEvent<E>);
    }
  }

  /** Reading again is harmless, so an event store that is away for a moment costs the caller time, not an error. */
  private async catchUpInTime<S, E extends DomainEvent>(
    stream: string,
    folded: FoldedStream<S, E>,
    { deadlineMs }: CommandContext,
  ): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.catchUp(stream, folded);
      } catch (error) {
        if (!(error instanceof EventStoreUnavailableError)) throw error;
        await backoff(attempt, RETRY_BACKOFF_MS, RETRY_BACKOFF_MAX_MS);
        if (Date.now() >= deadlineMs) throw error;
      }
    }
  }

  private kept<S, E extends DomainEvent>(
    decider: Fold<S, E>,
    stream: string,
  ): FoldedStream<S, E> | undefined {
    return this.cache.get(cacheKey(decider, stream)) as FoldedStream<S, E> | undefined;
  }

  /** Keeps the state after `work`, unless it ended in a way that leaves open whether state and stream agree. */
  private async guarded<S, E extends DomainEvent, T>(
    decider: Fold<S, E>,
    stream: string,
    folded: FoldedStream<S, E>,
    work: () => Promise<T>,
  ): Promise<T> {
    const key = cacheKey(decider, stream);
    const keep = () => {
      if (folded.revision >= 0)
        this.cache.set(key, folded as unknown as FoldedStream<unknown, never>, { size: folded.bytes });
    };
    try {
      const result = await work();
      keep();
      return result;
    } catch (error) {
      if (error instanceof DomainError || error instanceof StaleRevisionError) keep();
      else this.cache.delete(key);
      throw error;
    }
  }
}

const cacheKey = ({ name }: Readonly<{ name: string }>, stream: string): string => `${name}\n${stream}`;

/** What the command comes to on the state as folded. The order of the checks is part of the contract. */
const judge = <S, C, E extends DomainEvent, A extends object>(
  decider: Decider<S, C, E, A>,
  command: C,
  context: CommandContext,
  folded: FoldedStream<S, E>,
  naturalKey: string | undefined,
  mac: string | undefined,
): Verdict<E, A> => {
  const { commands, revision, position, state } = folded;
  const isOpen = !(decider.isClosed?.(state) ?? false);
  if (context.repeatable && (isOpen || decider.outlivesClosing?.(command))) {
    const earlier = commands.withId(context.commandId, Date.parse(context.now));
    if (earlier !== undefined) return repeated(earlier, mac, () => new IdempotencyConflictError());
  }
  if (naturalKey !== undefined && isOpen) {
    const earlier = commands.withNaturalKey(naturalKey);
    if (earlier !== undefined) return repeated(earlier, mac, () => new NaturalKeyConflictError());
  }
  const { expectedRevision } = context;
  if (expectedRevision !== undefined && expectedRevision !== revision && isOpen) {
    return { kind: 'refusal', error: new StaleRevisionError(expectedRevision, revision) };
  }
  try {
    const { events, answer } = decider.decide(command, state);
    if (events.length > 0) return { kind: 'append', events, answer: jsonCopy(answer) };
    return {
      kind: 'answer',
      outcome: { answer: jsonCopy(answer), revision, position, replayed: false, unchanged: true },
    };
  } catch (error) {
    return { kind: 'refusal', error };
  }
};

const repeated = <E extends DomainEvent, A extends object>(
  earlier: AnsweredCommand,
  mac: string | undefined,
  conflict: () => Error,
): Verdict<E, A> => {
  if (mac === undefined || earlier.mac !== mac) return { kind: 'refusal', error: conflict() };
  const { answer, revision, position } = earlier;
  return { kind: 'answer', outcome: { answer: answer as A, revision, position, replayed: true } };
};

/**
 * Events just appended, as they will be read back: the same data, so that a state folded from them is that of the log.
 * What only the event store knows is close: the position is that of the append, the time that of the command.
 */
const asRecorded = <E extends DomainEvent>(
  events: readonly E[],
  stream: string,
  firstRevision: number,
  { position, eventIds }: AppendResult,
  context: CommandContext,
  record: CommandRecord | undefined,
): RecordedEvent<E>[] =>
  events.map((event, index) => {
    const last = index === events.length - 1 ? lastOf(context, record) : {};
    const recorded: RecordedEvent = {
      type: event.type,
      data: jsonCopy(event.data),
      meta: {
        eventId: eventIds[index] as string,
        stream,
        revision: firstRevision + index,
        position,
        recordedAt: context.now,
        ...commandMetaOf(storedMetadataOf(context, record?.mac, last)),
      },
    };
    return recorded as RecordedEvent<E>;
  });

/** Nothing of it is shared with the state, which goes on changing. */
const jsonCopy = <T extends object>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** The instant differs each time a command is sent; what the client sent does not. */
const withoutInstant = (command: object): object => {
  const { now: _, ...payload } = command as { now?: unknown };
  return payload;
};
