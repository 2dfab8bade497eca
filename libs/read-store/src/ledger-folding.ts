import type { RecordedEvent } from '@app/kernel';
import { foldLedger, type LedgerState } from './fold-batch';
import { collectionOf, type AnyLedger } from './projection';
import type { Folding } from './folding';
import type { ReadStore } from './read-store.port';

/**
 * Folds one ledger through a pass of the runner. The state follows from the log alone, so it is kept in memory and never
 * compared with what another runner has stored: where that is further on, it is right, too.
 */
export class LedgerFolding implements Folding {
  readonly collection: string;
  private current: LedgerState | null = null;

  constructor(
    private readonly ledger: AnyLedger,
    private readonly store: ReadStore,
  ) {
    this.collection = collectionOf(ledger);
  }

  /** Answers behind which position to go on: the checkpoint, or null where there is no state that reaches it. */
  async begin(checkpoint: bigint | null): Promise<bigint | null> {
    const stored = checkpoint === null ? null : await this.store.loadState(this.ledger);
    this.current = stored !== null && checkpoint !== null && stored.position >= checkpoint ? stored : null;
    if (this.current !== null) return checkpoint;
    // A state that was left behind would hide that the rows below it have to be written again.
    await this.store.dropState(this.ledger);
    return null;
  }

  /** Rows first: a crash in between leaves rows that the next pass writes again, as they are. */
  async apply(events: readonly RecordedEvent[]): Promise<void> {
    const change = foldLedger(this.ledger, events, this.current);
    if (!change) return;
    if (change.rows.length > 0) await this.store.insertRows(this.ledger, change.rows);
    await this.store.saveState(this.ledger, change.next);
    this.current = change.next;
  }
}
