import type { StayDocument } from '../segmented-contact';
import type { MembershipView } from './stays.queries';

/** A stay as the API shows it. */
export const membershipView = (stay: StayDocument): MembershipView => {
  const { segmentId, contactId, from, to, version, causeIn, causeOut } = stay;
  return { segmentId, contactId, from, to, version, causeIn, causeOut };
};
