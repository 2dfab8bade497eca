import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError, type RecordedEvent } from '@app/kernel';
import type { EventStore } from '@app/event-store';
import { foldBatch, touchedBy } from './fold-batch';
import type { Folding } from './folding';
import { LedgerFolding } from './ledger-folding';
import { collectionOf, type AnyProjection, type Journal, type ReadModels } from './projection';
import {
  CheckpointLostError,
  ForeignReadDatabaseError,
  ProjectionError,
  ReadStoreUnavailableError,
} from './read-store.errors';
import type { CheckpointHold, JournalEntry, ReadStore } from './read-store.port';

export type RunnerOptions = Readonly<{
  /** Names the checkpoint; stored, never changed. */
  name: string;
  events: Pick<EventStore, 'head' | 'subscribe'>;
  store: ReadStore;
  readModels: ReadModels;
  /** Projections that a context folds by itself, since they need more than their own document. */
  foldings?: readonly Folding[];
  /** At most so many events a batch; default 2,000. */
  batchSizeMax?: number;
  onState?: (status: RunnerStatus) => void;
}>;

/** `retrying`: a store or the key ring does not answer, tried again with backoff until a batch is through; `failed`: stopped by something no retry mends. */
export type RunnerState = 'starting' | 'running' | 'retrying' | 'stopped' | 'failed';

export type RunnerStatus = Readonly<{
  state: RunnerState;
  /** Up to where every read model is folded and checkpointed; null: nothing yet. */
  position: bigint | null;
  /** Events delivered since the start of the process. */
  eventsCount: number;
  /** Why it is retrying, or has failed. */
  error?: Error;
}>;

const BATCH_SIZE_MAX = 2_000;
/**
 * Under load, batches begin at least so far apart: each costs a load, a write and a checkpoint however few events it has,
 * and commands need the processor more. Nobody waits longer for what he reads than he would behind fuller queues.
 */
const PACE_MS = 20;
/** Smaller batches say that there is no load. */
const PACED_FROM = 4;
const BACKOFF_FIRST_MS = 100;
const BACKOFF_MAX_MS = 5_000;
/** Each round some other writer made progress, so many in a row mean that something is wrong. */
const CONTENTION_ROUNDS_MAX = 20;

/**
 * Keeps read models up with the log: one subscription, and for every batch one load and one write a read model, then one
 * checkpoint. Whatever is killed and whenever, and however many runners are at work, the documents come out the same.
 */
export class ProjectionRunner {
  private readonly foldings: readonly Folding[];
  private current: RunnerStatus = { state: 'starting', position: null, eventsCount: 0 };

  constructor(private readonly options: RunnerOptions) {
    const { projections, journals, ledgers = [] } = options.readModels;
    const own = new Map(options.foldings?.map((folding) => [folding.collection, folding]));
    this.foldings = [
      ...projections.map(
        (projection): Folding =>
          own.get(collectionOf(projection)) ?? {
            collection: collectionOf(projection),
            apply: (events) => this.project(projection, events),
          },
      ),
      ...journals.map((journal) => ({
        collection: collectionOf(journal),
        apply: (events: readonly RecordedEvent[]) => this.record(journal, events),
      })),
      ...ledgers.map((ledger) => new LedgerFolding(ledger, options.store)),
    ];
  }

  status(): RunnerStatus {
    return this.current;
  }

  /**
   * Runs until the signal aborts; the batch at hand is finished first. While a store is away it tries again, from the stored
   * checkpoint on, for as long as it takes. Throws what no retry mends.
   */
  async run(signal: AbortSignal): Promise<void> {
    let delayMs = BACKOFF_FIRST_MS;
    while (!signal.aborted) {
      const eventsBefore = this.current.eventsCount;
      try {
        await this.follow(signal);
      } catch (error) {
        if (!isTransient(error)) {
          this.become('failed', error as Error);
          throw error;
        }
        if (this.current.eventsCount > eventsBefore) delayMs = BACKOFF_FIRST_MS;
        this.become('retrying', error);
        // Jitter, so that several runners do not come back in step.
        await sleep(delayMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
        delayMs = Math.min(delayMs * 2, BACKOFF_MAX_MS);
      }
    }
    this.become('stopped');
  }

  /** One pass from the stored checkpoint on. */
  private async follow(signal: AbortSignal): Promise<void> {
    const { name, events, store, readModels, batchSizeMax = BATCH_SIZE_MAX } = this.options;
    const hold = await store.open(name, readModels);
    const stored = await store.positions();
    const positions = new Map<string, bigint | null>();
    for (const { collection } of this.foldings) positions.set(collection, stored.get(collection) ?? null);
    const head = await events.head();
    refuseForeign(positions, head);
    for (const folding of this.foldings) {
      const { collection } = folding;
      if (folding.begin) positions.set(collection, await folding.begin(positions.get(collection) ?? null));
    }
    // What stood in its way may stand there still: until a batch is through, it is not known to run again.
    const waits = this.current.state === 'retrying' && head !== lowest(positions);
    if (!waits) this.become('running', undefined, lowest(positions));
    const pass = new AbortController();
    const ended = AbortSignal.any([signal, pass.signal]);
    try {
      const batches = events.subscribe({ after: lowest(positions), batchSizeMax, signal: ended });
      for await (const batch of oneAhead(batches)) {
        const startedAt = performance.now();
        await this.handle(hold, positions, batch);
        const restMs = PACE_MS - (performance.now() - startedAt);
        if (restMs > 1 && batch.length >= PACED_FROM && batch.length < batchSizeMax)
          await sleep(restMs, undefined, { signal: ended }).catch(() => undefined);
      }
    } finally {
      pass.abort();
    }
  }

  private async handle(
    hold: CheckpointHold,
    positions: Map<string, bigint | null>,
    batch: readonly RecordedEvent[],
  ): Promise<void> {
    const last = batch.at(-1)?.meta.position;
    if (last === undefined) return;
    const moved = new Map<string, bigint>();
    const applied = this.foldings.map((folding) => {
      const { collection } = folding;
      const unseen = behind(batch, positions.get(collection) ?? null);
      if (unseen.length === 0) return undefined;
      moved.set(collection, last);
      return folding.apply(unseen);
    });
    // All of them come to an end before an error goes up: none may still be writing when the next pass begins.
    const outcomes = await Promise.allSettled(applied);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    await this.options.store.saveCheckpoint(hold, moved);
    for (const [collection, position] of moved) positions.set(collection, position);
    const position = lowest(positions);
    this.current = { ...this.current, position, eventsCount: this.current.eventsCount + batch.length };
    if (this.current.state !== 'running') this.become('running');
  }

  private async project(projection: AnyProjection, events: readonly RecordedEvent[]): Promise<void> {
    const { store } = this.options;
    const ids = touchedBy(projection, events);
    if (ids.length === 0) return;
    for (let round = 1; round <= CONTENTION_ROUNDS_MAX; round += 1) {
      const changes = foldBatch(projection, events, await store.load(projection, ids));
      if (changes.length === 0 || (await store.save(projection, changes))) return;
    }
    throw new ReadStoreUnavailableError();
  }

  private async record(journal: Journal, events: readonly RecordedEvent[]): Promise<void> {
    const entries: JournalEntry[] = [];
    for (const event of events) {
      const doc = entryOf(journal, event);
      if (doc) entries.push({ position: event.meta.position, doc });
    }
    if (entries.length > 0) await this.options.store.insert(journal, entries);
  }

  private become(state: RunnerState, error?: Error, position = this.current.position): void {
    this.current = { state, position, eventsCount: this.current.eventsCount, ...(error && { error }) };
    this.options.onState?.(this.current);
  }
}

/** Asks for the next batch while the one at hand is written: the stores work while the events are opened, and the other way round. */
async function* oneAhead<Batch>(batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
  const source = batches[Symbol.asyncIterator]();
  try {
    let next = source.next();
    for (;;) {
      const { done, value } = await next;
      if (done) return;
      next = source.next();
      // It is waited for in its turn; until then a failure is nobody's yet.
      next.catch(() => undefined);
      yield value;
    }
  } finally {
    // Not waited for: the batch asked for last may be long in coming.
    source.return?.().catch(() => undefined);
  }
}

const entryOf = (journal: Journal, event: RecordedEvent): object | null => {
  try {
    return journal.entry(event);
  } catch (thrown) {
    throw new ProjectionError(collectionOf(journal), event, thrown);
  }
};

/** The events of a batch that lie behind a position. Whole batches are skipped cheaply while another read model is built. */
const behind = (batch: readonly RecordedEvent[], position: bigint | null): readonly RecordedEvent[] => {
  const last = batch.at(-1);
  if (position === null || !last) return batch;
  if (last.meta.position <= position) return [];
  const first = batch.findIndex(({ meta }) => meta.position > position);
  return first === 0 ? batch : batch.slice(first);
};

/** Null, "nothing yet", is the lowest of all. */
const lowest = (positions: ReadonlyMap<string, bigint | null>): bigint | null => {
  let found: bigint | null | undefined;
  for (const position of positions.values()) {
    if (position === null) return null;
    if (found === undefined || found === null || position < found) found = position;
  }
  return found ?? null;
};

const highest = (positions: ReadonlyMap<string, bigint | null>): bigint | null => {
  let found: bigint | null = null;
  for (const position of positions.values()) {
    if (position !== null && (found === null || position > found)) found = position;
  }
  return found;
};

const refuseForeign = (positions: ReadonlyMap<string, bigint | null>, head: bigint | null): void => {
  const checkpoint = highest(positions);
  if (checkpoint !== null && (head === null || checkpoint > head))
    throw new ForeignReadDatabaseError(checkpoint, head);
};

/** A store or the key ring is away, or the read database was emptied: the next pass may go well. */
const isTransient = (error: unknown): error is Error =>
  error instanceof CheckpointLostError || (error instanceof DomainError && error.kind === 'unavailable');
