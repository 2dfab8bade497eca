/** How many automations there are by the read models. */
export abstract class AutomationCounts {
  /** All, and those on one segment, without some that the caller counts itself. Throws ReadStoreUnavailableError. */
  abstract without(
    automationIds: readonly string[],
    segmentId: string,
  ): Promise<Readonly<{ all: number; onSegment: number }>>;

  /** Up to where the log is in the counts. Throws ReadStoreUnavailableError. */
  abstract position(): Promise<bigint>;
}
