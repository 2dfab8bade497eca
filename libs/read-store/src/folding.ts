import type { RecordedEvent } from '@app/kernel';

/** What the runner does alike to all kinds of read models. */
export interface Folding {
  /** The read model that is folded, by its collection. */
  readonly collection: string;
  /** At the start of every pass: given the checkpoint, answers behind which position to go on. */
  begin?(checkpoint: bigint | null): Promise<bigint | null>;
  /** Folds events in the order of the log; those that were folded before change nothing. */
  apply(events: readonly RecordedEvent[]): Promise<void>;
}
