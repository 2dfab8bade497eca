/** `notActive`: nobody is in the segment. `moved`: the contact's stream is further on. */
export type Standing = 'member' | 'notMember' | 'notActive' | 'moved';

/** Who may redeem rewards that are for the members of a segment. */
export abstract class RewardAudience {
  /** Whether there is such a segment, active or not. */
  abstract exists(segmentId: string): Promise<boolean>;

  /**
   * Whether a contact is in a segment at exactly one revision of its stream and one instant (ISO 8601 UTC). Throws a
   * DomainError of kind `unavailable` where that is not known in time.
   */
  abstract standingOf(contactId: string, segmentId: string, revision: number, now: string): Promise<Standing>;
}
