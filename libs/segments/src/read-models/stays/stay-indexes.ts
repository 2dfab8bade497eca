import type { IndexSpec } from '@app/read-store';

/** Who is in a segment and who was; what a contact was in; in what order they came and went; what is to be announced. */
export const STAY_INDEXES: readonly IndexSpec[] = [
  { key: { segmentId: 1, to: 1, contactId: 1 } },
  { key: { segmentId: 1, from: 1, contactId: 1 } },
  // For pages of a past instant: whatever it is, they come in the order of contacts.
  { key: { segmentId: 1, contactId: 1, from: 1 } },
  { key: { contactId: 1, from: 1, _id: 1 } },
  { key: { announce: 1 }, sparse: true },
];
