import type { Rule } from '@app/rules';
import { NOTHING_FILLING, type FillingSegments } from '../contacts/filling-segments';

/** What is asked of contacts that their documents alone do not answer: of their history, and of segments. */
export abstract class RuleMatcher {
  /**
   * Those of some contacts on whom a rule is true at an instant, as they are stored now, in the segments that they are shown
   * to be in. Asked for a bounded number at a time. Throws ReadStoreUnavailableError.
   */
  abstract matching(
    rule: Rule,
    contactIds: readonly string[],
    now: Date,
    filling: FillingSegments,
  ): Promise<ReadonlySet<string>>;

  /** Whether there is a segment of this id that is not deleted. Throws ReadStoreUnavailableError. */
  abstract knowsSegment(segmentId: string): Promise<boolean>;

  /**
   * Has contacts read by what segments are being filled; again where a definition was made meanwhile. Throws what `read`
   * throws, ReadStoreUnavailableError and ReadBehindError.
   */
  whileFilling<Answer>(read: (filling: FillingSegments) => Promise<Answer>): Promise<Answer> {
    return read(NOTHING_FILLING);
  }
}
