import { ReadStore, type AnyProjection, type Change, type CheckpointHold } from '@app/read-store';
import type {
  AnyLedger,
  Journal,
  JournalEntry,
  LedgerRow,
  LedgerState,
  Positions,
  ReadModels,
  Stored,
} from '@app/read-store';

/** Stands for the death of the process: nothing that knows it would go on. */
export class SimulatedCrash extends Error {}

/**
 * A read store whose user dies at the n-th step: before a call, in the middle of a bulk (half of it is stored), or after a call
 * and before its answer. Once dead, nothing more is stored through it. Counts the steps, so that a spec can visit each.
 */
export class CrashingReadStore extends ReadStore {
  steps = 0;
  private dead = false;

  constructor(
    private readonly store: ReadStore,
    private readonly dieAt = Number.POSITIVE_INFINITY,
  ) {
    super();
  }

  open(runner: string, readModels: ReadModels): Promise<CheckpointHold> {
    return this.around(() => this.store.open(runner, readModels));
  }

  load(projection: AnyProjection, ids: readonly string[]): Promise<ReadonlyMap<string, Stored>> {
    return this.around(() => this.store.load(projection, ids));
  }

  save(projection: AnyProjection, changes: readonly Change[]): Promise<boolean> {
    return this.around(async () => {
      const [first, second] = halves(changes);
      const settled = first.length === 0 || (await this.store.save(projection, first));
      this.step();
      return (await this.store.save(projection, second)) && settled;
    });
  }

  insert(journal: Journal, entries: readonly JournalEntry[]): Promise<void> {
    return this.around(async () => {
      const [first, second] = halves(entries);
      if (first.length > 0) await this.store.insert(journal, first);
      this.step();
      await this.store.insert(journal, second);
    });
  }

  loadState(ledger: AnyLedger): Promise<LedgerState | null> {
    return this.around(() => this.store.loadState(ledger));
  }

  dropState(ledger: AnyLedger): Promise<void> {
    return this.around(() => this.store.dropState(ledger));
  }

  insertRows(ledger: AnyLedger, rows: readonly LedgerRow[]): Promise<void> {
    return this.around(async () => {
      const [first, second] = halves(rows);
      if (first.length > 0) await this.store.insertRows(ledger, first);
      this.step();
      await this.store.insertRows(ledger, second);
    });
  }

  saveState(ledger: AnyLedger, state: LedgerState): Promise<void> {
    return this.around(() => this.store.saveState(ledger, state));
  }

  positions(): Promise<Positions> {
    return this.around(() => this.store.positions());
  }

  saveCheckpoint(hold: CheckpointHold, positions: Positions): Promise<void> {
    return this.around(() => this.store.saveCheckpoint(hold, positions));
  }

  private async around<T>(call: () => Promise<T>): Promise<T> {
    this.step();
    const answer = await call();
    this.step();
    return answer;
  }

  private step(): void {
    this.steps += 1;
    if (this.steps === this.dieAt) this.dead = true;
    if (this.dead) throw new SimulatedCrash();
  }
}

/** The second half is never empty where there is anything. */
const halves = <T>(items: readonly T[]): [readonly T[], readonly T[]] => {
  const middle = Math.floor(items.length / 2);
  return [items.slice(0, middle), items.slice(middle)];
};
