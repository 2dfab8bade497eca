import { CONTACT_ID, decisionsOf, facts, NOW } from '@app/testing';
import { contactDecider } from './contact.decider';
import {
  ContactGoneError,
  ContactNotFoundError,
  OVERLAYS_MAX,
  ProcessingRestrictedError,
} from './contact.errors';
import type { ContactEvent } from './contact.events';
import type { AssignSegment, UnassignSegment } from './segments.decisions';

const { given } = decisionsOf(contactDecider);
const registered = facts.registered();
const of = { contactId: CONTACT_ID, occurredAt: NOW };
const later = '2026-04-01T00:00:00.000Z';
const segmentId = '0a6c2f4e-1111-4222-8333-944445555666';
const assign = (fields: Partial<AssignSegment> = {}): AssignSegment => ({
  type: 'AssignSegment',
  contactId: CONTACT_ID,
  now: NOW,
  segmentId,
  mode: 'include',
  ...fields,
});
const unassign: UnassignSegment = { type: 'UnassignSegment', contactId: CONTACT_ID, now: NOW, segmentId };
type Assigned = Extract<ContactEvent, { type: 'contacts.SegmentAssigned.v1' }>;
const assigned = (data: Partial<Assigned['data']> = {}): ContactEvent => ({
  type: 'contacts.SegmentAssigned.v1',
  data: { ...of, segmentId, mode: 'include', ...data },
});
const unassigned: ContactEvent = { type: 'contacts.SegmentUnassigned.v1', data: { ...of, segmentId } };
const restricted: ContactEvent = { type: 'contacts.ProcessingRestricted.v1', data: of };
const erasureId = 'erasure-1';
const fenced: ContactEvent[] = [
  {
    type: 'contacts.ErasureRequested.v1',
    data: { ...of, erasureId, legalGround: 'objection', executeAfter: NOW },
  },
  { type: 'contacts.ErasureStarted.v1', data: { ...of, erasureId } },
];

describe('assigning a contact to a segment by hand', () => {
  it('records mode, reason and expiry', () =>
    given(registered)
      .when(assign({ mode: 'exclude', reason: 'Asked for it.', expiresAt: later }))
      .then(assigned({ mode: 'exclude', reason: 'Asked for it.', expiresAt: later })));
  it('records nothing when said again', () => given(registered, assigned()).when(assign()).thenNothing());
  it('replaces another mode', () =>
    given(registered, assigned())
      .when(assign({ mode: 'exclude' }))
      .then(assigned({ mode: 'exclude' })));
  it('replaces another expiry', () =>
    given(registered, assigned({ expiresAt: later }))
      .when(assign())
      .then(assigned()));
  it('records a reason also where nothing else is new', () =>
    given(registered, assigned())
      .when(assign({ reason: 'Why.' }))
      .then(assigned({ reason: 'Why.' })));
  it('takes a reason back', () =>
    given(registered, assigned({ reason: 'Why.' }))
      .when(assign())
      .then(assigned()));
  it('refuses to expire at once', () =>
    given(registered)
      .when(assign({ expiresAt: NOW }))
      .thenRefused('contacts.overlay-expired'));
  it('needs a contact', () => given().when(assign()).thenRefused(ContactNotFoundError));
  it('stops at the fence', () =>
    given(registered, ...fenced)
      .when(assign())
      .thenRefused(ContactGoneError));
  it('stops while processing is restricted', () =>
    given(registered, restricted).when(assign()).thenRefused(ProcessingRestrictedError));

  const many = (expiresAt?: string): ContactEvent[] =>
    Array.from({ length: OVERLAYS_MAX }, (_, n) =>
      assigned({ segmentId: `segment-${n}`, ...(expiresAt !== undefined && { expiresAt }) }),
    );
  it('has a limit', () =>
    given(registered, ...many())
      .when(assign())
      .thenRefused('contacts.too-many-overlays', { overlaysMax: OVERLAYS_MAX }));
  it('does not count what has expired', () =>
    given(registered, ...many(NOW))
      .when(assign())
      .then(assigned()));
});

describe('taking an assignment back', () => {
  it('is recorded once', () => given(registered, assigned()).when(unassign).then(unassigned));
  it('records nothing when sent again', () =>
    given(registered, assigned(), unassigned).when(unassign).thenNothing());
  it('records nothing once it has expired', () =>
    given(registered, assigned({ expiresAt: NOW }))
      .when(unassign)
      .thenNothing());
  it('stops at the fence', () =>
    given(registered, assigned(), ...fenced)
      .when(unassign)
      .thenRefused(ContactGoneError));
});
