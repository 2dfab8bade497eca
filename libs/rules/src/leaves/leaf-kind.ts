import type { ContactFacts } from '../facts';
import type { Moment } from '../moment';
import type { Truth } from '../truth';

export type Judgement = Readonly<{
  truth: Truth;
  /** What was looked at, as an explanation shows it; JSON-safe. */
  value?: unknown;
}>;

/** How one kind of leaf is judged. All three are pure. */
export type LeafKind<L> = Readonly<{
  judge: (leaf: L, facts: ContactFacts, moment: Moment) => Judgement;
  /**
   * The first instant after the moment at which the judgement may be another without a new event; null where it stays for
   * ever. Too early is harmless, too late is wrong.
   */
  nextMove: (leaf: L, facts: ContactFacts, moment: Moment) => number | null;
  /** Ids of the events behind the judgement, the newest first, a bounded number of them. */
  evidence: (leaf: L, facts: ContactFacts, moment: Moment) => readonly string[];
}>;

export const idOf = (known: Readonly<{ eventId?: string }> | undefined): readonly string[] =>
  known?.eventId === undefined ? [] : [known.eventId];
