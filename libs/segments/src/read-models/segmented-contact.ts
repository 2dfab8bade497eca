import type { ContactDocument } from '@app/contacts';
import type { FactsDocument } from '../facts/facts.document';
import type { Interval, MembershipState } from '../membership/membership';

/** What is kept of memberships in a contact's own document. */
export type StoredMembership = MembershipState &
  Readonly<{
    /** The position of the last change of definitions that was applied to the contact; 64 bits, so a text. */
    definitionsAt: string;
  }>;

/** A contact's document as it is stored: with what its rules need and what it is in. */
export type SegmentedContact = Omit<ContactDocument, 'facts' | 'membership'> &
  Readonly<{
    facts: FactsDocument;
    membership: StoredMembership;
    segments: readonly string[];
    segmentsDueAt: string | null;
  }>;

/** Whom an announcement of a stay is still due of. */
export type Announcement = 'entered' | 'left';

/** One stay of a contact in a segment, as it is stored. */
export type StayDocument = Interval &
  Readonly<{
    contactId: string;
    /** Absent: all that was to be announced of it is in the log. */
    announce?: readonly Announcement[];
  }>;

export const STAYS = 'memberships_v1';

/** Names a stay: the same whoever folds it. */
export const stayId = (contactId: string, { segmentId, from, causeIn }: Interval): string =>
  `${segmentId} ${contactId} ${from} ${causeIn.position} ${causeIn.kind}`;
