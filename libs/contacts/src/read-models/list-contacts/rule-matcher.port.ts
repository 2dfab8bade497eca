import type { Rule } from '@app/rules';

/** What is asked of contacts that their documents alone do not answer: of their history, and of segments. */
export abstract class RuleMatcher {
  /**
   * Those of some contacts on whom a rule is true at an instant, as they are stored now. Asked for a bounded number at a time.
   * Throws ReadStoreUnavailableError.
   */
  abstract matching(rule: Rule, contactIds: readonly string[], now: Date): Promise<ReadonlySet<string>>;

  /** Whether there is a segment of this id that is not deleted. Throws ReadStoreUnavailableError. */
  abstract knowsSegment(segmentId: string): Promise<boolean>;
}
