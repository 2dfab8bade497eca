import { contactsProjection, type ContactEvent } from '@app/contacts';
import type { RecordedEvent } from '@app/kernel';
import { foldBatch, MongoReadStore, openReadDatabase, touchedBy as documentsOf } from '@app/read-store';
import { evaluate, foldHistory, HistoryFacts, touchedBy, type ContactHistory, type Rule } from '@app/rules';
import { FillState, MongoSegmentStore, SegmentEngine } from '@app/segments';
import type { Db } from 'mongodb';
import { SEGMENT_FOLDS, type Handlers, type SegmentFold } from './jobs';
import { activeRules, askedBy, SyntheticLog, unrelatedRules } from './segment-load';

const ACTIVE_COUNT = 200;
const UNRELATED_COUNT = 1_000;
/** As the projector's own. */
const BATCH_SIZE = 2_000;

type Events = readonly RecordedEvent[];
type Apply = (events: Events) => Promise<void>;

/** Contacts as any other read model: no facts, no memberships. */
const plainFold = async (db: Db): Promise<Apply> => {
  const store = new MongoReadStore(db);
  await store.open('bench', { projections: [contactsProjection], journals: [] });
  return async (events) => {
    const loaded = await store.load(contactsProjection, documentsOf(contactsProjection, events));
    const changes = foldBatch(contactsProjection, events, loaded);
    if (!(await store.save(contactsProjection, changes))) throw new Error('Somebody else writes, too.');
  };
};

const engineFold = async (db: Db, log: SyntheticLog, rules: readonly Rule[]): Promise<Apply> => {
  const readStore = new MongoReadStore(db);
  await readStore.open('bench', { projections: [contactsProjection], journals: [] });
  const engine = new SegmentEngine({
    store: new MongoSegmentStore(db, readStore),
    fills: new FillState(db),
    events: { head: async () => null },
    clock: { now: () => new Date(0) },
    onTrouble: (error) => {
      throw error;
    },
  });
  await engine.begin(null);
  await engine.apply(rules.map((rule) => log.definition(rule)));
  // Nobody is there yet, so each has an end at once.
  while (await engine.step());
  return (events) => engine.apply(events);
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
      const naiveFold = await engineFold(dbOf('naive'), log, []);
      const folds: Readonly<Record<SegmentFold, Apply>> = {
        plain: await plainFold(dbOf('plain')),
        none: await engineFold(dbOf('none'), log, []),
        active: await engineFold(dbOf('active'), log, active),
        unrelated: await engineFold(dbOf('unrelated'), log, [...active, ...unrelatedRules(UNRELATED_COUNT)]),
        naive: async (events) => {
          await naiveFold(events);
          naive.apply(events);
        },
      };
      for (let from = 0; from < contacts; from += BATCH_SIZE / 2) {
        const indexes = Array.from({ length: Math.min(BATCH_SIZE / 2, contacts - from) }, (_, n) => from + n);
        const events = indexes.flatMap((index) => [log.registration(index), log.purchase(index)]);
        naive.learn(events);
        for (const fold of SEGMENT_FOLDS) await (fold === 'naive' ? naiveFold : folds[fold])(events);
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
          rates[fold] = {
            batched: await rateOf(batched, BATCH_SIZE, folds[fold]),
            single: await rateOf(single, 1, folds[fold]),
          };
        }
        // The first one is for the compiler.
        if (round > 0) rounds.push(rates);
      }
      const [sample] = credits(1) as [RecordedEvent<ContactEvent>];
      const startedAt = performance.now();
      naive.recompute(sample.meta.recordedAt);
      return {
        rounds,
        recomputeMs: performance.now() - startedAt,
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
