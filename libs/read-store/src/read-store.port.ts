import type { Change, LedgerState, Stored } from './fold-batch';
import type { AnyLedger, AnyProjection, Journal, LedgerRow, ReadModels } from './projection';

/** Up to which position each read model is folded, by collection name; absent: not begun. */
export type Positions = ReadonlyMap<string, bigint>;

export type JournalEntry = Readonly<{ position: bigint; doc: object }>;

/** A runner's hold on its checkpoint, from `open` on. */
export type CheckpointHold = Readonly<{
  runner: string;
  /** Made with the checkpoint: tells it from one that was made later, in an emptied database. */
  epoch: string;
}>;

/** What readers need of the read store. */
export abstract class Checkpoints {
  /** Over all runners; where two of them fold one read model, the further one. */
  abstract positions(): Promise<Positions>;
}

/**
 * Documents of the read models, and how far they are folded. Every write is durable before it is acknowledged (unless the
 * server goes down together with this process), so that a checkpoint never claims what a killed server has lost. Throws ReadStoreUnavailableError where the same again may succeed.
 */
export abstract class ReadStore extends Checkpoints {
  /** Makes what is missing of indexes and the runner's checkpoint. */
  abstract open(runner: string, readModels: ReadModels): Promise<CheckpointHold>;

  /** What is stored under these ids, removed documents included. */
  abstract load(projection: AnyProjection, ids: readonly string[]): Promise<ReadonlyMap<string, Stored>>;

  /**
   * Writes every change whose document has not moved since. False: another runner has moved at least one, so the batch is
   * to be loaded and folded again.
   */
  abstract save(projection: AnyProjection, changes: readonly Change[]): Promise<boolean>;

  /** Entries that are there already are left as they are. */
  abstract insert(journal: Journal, entries: readonly JournalEntry[]): Promise<void>;

  /** The state that a ledger goes on with; null before the first. */
  abstract loadState(ledger: AnyLedger): Promise<LedgerState | null>;

  /** Before a ledger is folded from the beginning of the log. */
  abstract dropState(ledger: AnyLedger): Promise<void>;

  /** Rows that are there already are left as they are. */
  abstract insertRows(ledger: AnyLedger, rows: readonly LedgerRow[]): Promise<void>;

  /** Leaves a state that is further on as it is. Its rows must be there: nobody folds again what lies below a state. */
  abstract saveState(ledger: AnyLedger, state: LedgerState): Promise<void>;

  /** Moves positions forward, never back. Throws CheckpointLostError where the checkpoint is not the one held. */
  abstract saveCheckpoint(hold: CheckpointHold, positions: Positions): Promise<void>;
}
