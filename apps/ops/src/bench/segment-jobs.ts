import type { ContactEvent } from '@app/contacts';
import type { RecordedEvent } from '@app/kernel';
import {
  MongoReadStore,
  openReadDatabase,
  ProjectionRunner,
  type CheckpointHold,
  type Folding,
  type Positions,
} from '@app/read-store';
import { evaluate, foldHistory, HistoryFacts, touchedBy, type ContactHistory, type Rule } from '@app/rules';
import { FillState, MongoSegmentStore, SegmentEngine } from '@app/segments';
import { readModels } from '@app/system';
import type { Db } from 'mongodb';
import { SEGMENT_FOLDS, type Handlers, type SegmentFold } from './jobs';
import { activeRules, askedBy, SyntheticLog, unrelatedRules } from './segment-load';

const ACTIVE_COUNT = 200;
const UNRELATED_COUNT = 1_000;
/** As the projector's own. */
const BATCH_SIZE = 2_000;

type Events = readonly RecordedEvent[];
type Apply = (events: Events) => Promise<void>;

/** Says when all read models have a batch. */
class ObservedReadStore extends MongoReadStore {
  onCheckpoint: () => void = () => undefined;

  override async saveCheckpoint(hold: CheckpointHold, positions: Positions): Promise<void> {
    await super.saveCheckpoint(hold, positions);
    this.onCheckpoint();
  }
}

/** The projector with all its read models, over a log that is handed to it batch by batch. */
class FedProjector {
  private readonly stopping = new AbortController();
  private readonly batches: Events[] = [];
  private head: bigint | null = null;
  private wake: () => void = () => undefined;
  private readonly running: Promise<void>;

  constructor(
    private readonly store: ObservedReadStore,
    foldings: readonly Folding[],
  ) {
    const runner = new ProjectionRunner({
      name: 'bench',
      events: { head: async () => this.head, subscribe: () => this.log() },
      store,
      readModels,
      foldings,
    });
    this.running = runner.run(this.stopping.signal);
    // Whoever waits for a batch is told.
    this.running.catch(() => undefined);
  }

  async apply(events: Events): Promise<void> {
    const done = new Promise<void>((resolve) => (this.store.onCheckpoint = resolve));
    this.batches.push(events);
    this.head = events.at(-1)?.meta.position ?? this.head;
    this.wake();
    await Promise.race([done, this.running]);
  }

  async close(): Promise<void> {
    this.stopping.abort();
    this.wake();
    await this.running;
  }

  private async *log(): AsyncGenerator<Events> {
    while (!this.stopping.signal.aborted) {
      const batch = this.batches.shift();
      if (batch !== undefined) yield batch;
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}

const withoutSegments = (db: Db): FedProjector => new FedProjector(new ObservedReadStore(db), []);

const withSegments = async (db: Db, log: SyntheticLog, rules: readonly Rule[]): Promise<FedProjector> => {
  const store = new ObservedReadStore(db);
  const engine = new SegmentEngine({
    store: new MongoSegmentStore(db, store),
    fills: new FillState(db),
    events: { head: async () => null },
    clock: { now: () => new Date(0) },
    onTrouble: (error) => {
      throw error;
    },
  });
  const projector = new FedProjector(store, [engine]);
  if (rules.length > 0) await projector.apply(rules.map((rule) => log.definition(rule)));
  // Nobody is there yet, so each has an end at once.
  while (await engine.step());
  return projector;
};

/** Every rule asked anew on every event; with all of the history in memory, which is the best case. */
class NaiveMemberships {
  private readonly histories = new Map<string, ContactHistory>();

  constructor(private readonly rules: readonly Rule[]) {}

  learn(events: Events): void {
    for (const event of events) this.fold(event as RecordedEvent<ContactEvent>);
  }

  apply(events: Events): void {
    for (const event of events) {
      const history = this.fold(event as RecordedEvent<ContactEvent>);
      if (history !== null) this.ask(history, event.meta.recordedAt);
    }
  }

  /** Asks every rule of everybody. */
  recompute(at: string): void {
    for (const history of this.histories.values()) this.ask(history, at);
  }

  private fold(event: RecordedEvent<ContactEvent>): ContactHistory | null {
    const { contactId } = event.data;
    const history = foldHistory(this.histories.get(contactId) ?? null, event);
    if (history !== null) this.histories.set(contactId, history);
    return history;
  }

  private ask(history: ContactHistory, at: string): void {
    const facts = new HistoryFacts(history);
    for (const rule of this.rules) evaluate(rule, facts, new Date(at));
  }
}

const rateOf = async (events: Events, size: number, apply: Apply): Promise<number> => {
  const startedAt = performance.now();
  for (let n = 0; n < events.length; n += size) await apply(events.slice(n, n + size));
  return events.length / ((performance.now() - startedAt) / 1_000);
};

export const runSegmentJob = {
  foldSegments: async ({ mongodbUrl, dbName, contacts, batchedCount, singleCount, roundCount }) => {
    const database = await openReadDatabase({ url: mongodbUrl, dbName });
    const nameOf = (fold: SegmentFold): string => `${dbName}_${fold}`;
    const dbOf = (fold: SegmentFold): Db => database.db.client.db(nameOf(fold));
    try {
      const log = new SyntheticLog();
      const active = activeRules(ACTIVE_COUNT);
      const naive = new NaiveMemberships(active);
      const unrelated = [...active, ...unrelatedRules(UNRELATED_COUNT)];
      const projectors: Readonly<Record<SegmentFold, FedProjector>> = {
        plain: withoutSegments(dbOf('plain')),
        none: await withSegments(dbOf('none'), log, []),
        active: await withSegments(dbOf('active'), log, active),
        unrelated: await withSegments(dbOf('unrelated'), log, unrelated),
        naive: await withSegments(dbOf('naive'), log, []),
      };
      for (let from = 0; from < contacts; from += BATCH_SIZE / 2) {
        const indexes = Array.from({ length: Math.min(BATCH_SIZE / 2, contacts - from) }, (_, n) => from + n);
        const events = indexes.flatMap((index) => [log.registration(index), log.purchase(index)]);
        naive.learn(events);
        for (const fold of SEGMENT_FOLDS) await projectors[fold].apply(events);
      }
      let next = 0;
      const credits = (count: number) =>
        // Further apart than a batch is long, so that a batch rarely meets a contact twice.
        Array.from({ length: count }, () => log.credit((next += 7_919) % contacts));
      const rounds = [];
      for (let round = 0; round <= roundCount; round += 1) {
        const batched = credits(batchedCount);
        const single = credits(singleCount);
        const rates = {} as Record<SegmentFold, { batched: number; single: number }>;
        // Each begins once, so that none always follows the same one.
        for (const [n] of SEGMENT_FOLDS.entries()) {
          const fold = SEGMENT_FOLDS[(n + round) % SEGMENT_FOLDS.length] as SegmentFold;
          const apply: Apply = async (events) => {
            await projectors[fold].apply(events);
            if (fold === 'naive') naive.apply(events);
          };
          rates[fold] = {
            batched: await rateOf(batched, BATCH_SIZE, apply),
            single: await rateOf(single, 1, apply),
          };
        }
        // The first one is for the compiler.
        if (round > 0) rounds.push(rates);
      }
      const [sample] = credits(1) as [RecordedEvent<ContactEvent>];
      const startedAt = performance.now();
      naive.recompute(sample.meta.recordedAt);
      const recomputeMs = performance.now() - startedAt;
      for (const fold of SEGMENT_FOLDS) await projectors[fold].close();
      return {
        rounds,
        recomputeMs,
        activeCount: ACTIVE_COUNT,
        touchedCount: askedBy(active, touchedBy(sample)),
        unrelatedCount: UNRELATED_COUNT,
      };
    } finally {
      for (const fold of SEGMENT_FOLDS) await dbOf(fold).dropDatabase();
      await database.close();
    }
  },
} satisfies Handlers;
