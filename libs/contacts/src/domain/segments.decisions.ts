import type { Decision } from '@app/kernel';
import { OverlayExpiredError, OVERLAYS_MAX, TooManyOverlaysError } from './contact.errors';
import type { ContactEvent, OverlayMode } from './contact.events';
import type { ActiveContact, Contact } from './contact.state';
import { registered, type OnContact } from './decision-basics';
import { optionalFields } from './optional-fields';

/** Puts a contact into a segment, or keeps it out, by hand. That there is such a segment is for the caller to know. */
export type AssignSegment = OnContact &
  Readonly<{
    type: 'AssignSegment';
    segmentId: string;
    mode: OverlayMode;
    reason?: string | undefined;
    expiresAt?: string | undefined;
  }>;
/** Leaves the segment to its rule again. */
export type UnassignSegment = OnContact & Readonly<{ type: 'UnassignSegment'; segmentId: string }>;

export const decideAssignSegment = (
  { contactId, now, segmentId, mode, reason, expiresAt }: AssignSegment,
  contact: Contact,
): Decision<ContactEvent, { segmentId: string; mode: OverlayMode }> => {
  const active = registered(contact);
  const answer = { segmentId, mode };
  if (expiresAt !== undefined && expiresAt <= now) throw new OverlayExpiredError();
  const known = active.overlays.get(segmentId);
  // A reason is not kept in the state, so one that is given again is recorded again, as evidence.
  const repeats =
    known !== undefined &&
    known.mode === mode &&
    known.expiresAt === (expiresAt ?? null) &&
    !known.hasReason &&
    reason === undefined;
  if (repeats) return { events: [], answer };
  if (known === undefined && countInForce(active, now) >= OVERLAYS_MAX) throw new TooManyOverlaysError();
  const data = { contactId, occurredAt: now, segmentId, mode, ...optionalFields({ reason, expiresAt }) };
  return { events: [{ type: 'contacts.SegmentAssigned.v1', data }], answer };
};

export const decideUnassignSegment = (
  { contactId, now, segmentId }: UnassignSegment,
  contact: Contact,
): Decision<ContactEvent, { segmentId: string }> => {
  const known = registered(contact).overlays.get(segmentId);
  const isInForce = known !== undefined && (known.expiresAt === null || known.expiresAt > now);
  const data = { contactId, occurredAt: now, segmentId };
  return {
    events: isInForce ? [{ type: 'contacts.SegmentUnassigned.v1', data }] : [],
    answer: { segmentId },
  };
};

const countInForce = ({ overlays }: ActiveContact, now: string): number =>
  [...overlays.values()].filter(({ expiresAt }) => expiresAt === null || expiresAt > now).length;
