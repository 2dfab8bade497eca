import type { Decision } from '@app/kernel';
import type { ContactEvent } from './contact.events';
import type { Contact } from './contact.state';
import { living, registered, type OnContact } from './decision-basics';
import { optionalFields } from './optional-fields';

/** What a person may ask for beside access and erasure. `reason` is a code. Saying it again changes nothing. */
export type RestrictProcessing = OnContact &
  Readonly<{ type: 'RestrictProcessing'; restricted: boolean; reason?: string | undefined }>;
export type ObjectToProfiling = OnContact &
  Readonly<{ type: 'ObjectToProfiling'; objected: boolean; reason?: string | undefined }>;

export const decideRestriction = (
  { contactId, now, restricted, reason }: RestrictProcessing,
  contact: Contact,
): Decision<ContactEvent, { processingRestricted: boolean }> => {
  const changes = living(contact).processingRestricted !== restricted;
  const data = { contactId, occurredAt: now, ...optionalFields({ reason }) };
  const type = restricted ? 'contacts.ProcessingRestricted.v1' : 'contacts.RestrictionLifted.v1';
  return { events: changes ? [{ type, data }] : [], answer: { processingRestricted: restricted } };
};

export const decideObjection = (
  { contactId, now, objected, reason }: ObjectToProfiling,
  contact: Contact,
): Decision<ContactEvent, { profilingObjection: boolean }> => {
  const changes = registered(contact).profilingObjected !== objected;
  const data = { contactId, occurredAt: now, ...optionalFields({ reason }) };
  const type = objected ? 'contacts.ProfilingObjected.v1' : 'contacts.ObjectionLifted.v1';
  return { events: changes ? [{ type, data }] : [], answer: { profilingObjection: objected } };
};
