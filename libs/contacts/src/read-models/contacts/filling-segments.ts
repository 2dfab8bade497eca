import type { StoreFilter } from '@app/rules';

/**
 * Segments that are just being filled with a new definition: contact documents show each as far as it has got, and readers
 * are to see it as it was before until all of it is there.
 */
export type FillingSegments = Readonly<{
  ids: ReadonlySet<string>;
  /** Contacts that were in one of them. Throws ReadBehindError where those are too many for a filter. */
  membersOf: (segmentId: string) => Promise<StoreFilter>;
  /** The contacts with the segments that they are shown to be in, in the same order. */
  asBefore: <T extends Segmented>(contacts: readonly T[]) => Promise<readonly T[]>;
}>;

export type Segmented = Readonly<{ contactId: string; segments?: readonly string[] }>;

/** As it is nearly always. */
export const NOTHING_FILLING: FillingSegments = {
  ids: new Set(),
  membersOf: async (segmentId) => ({ segments: segmentId }),
  asBefore: async (contacts) => contacts,
};
