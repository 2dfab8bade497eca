import type { Decision } from '@app/kernel';
import { decideConsents, type ConsentChoice } from './consents.decisions';
import { AlreadyRegisteredError, ContactGoneError } from './contact.errors';
import type { ContactEvent, ContactSource, Profile } from './contact.events';
import { activeContact, type Contact } from './contact.state';
import { isFenced, momentOf, type OnContact } from './decision-basics';
import { checkClaim, type EmailClaim } from './email-claims.decisions';
import { optionalFields } from './optional-fields';
import { checkCustomFields } from './profile.decisions';

export type RegisterContact = OnContact &
  Readonly<{
    type: 'RegisterContact';
    source: ContactSource;
    profile: Profile;
    /** Set where the profile has an e-mail. */
    emailClaim?: EmailClaim | undefined;
    registeredAt?: string | undefined;
    consents: readonly ConsentChoice[];
  }>;

export const decideRegistration = (
  command: RegisterContact,
  contact: Contact,
): Decision<ContactEvent, { contactId: string }> => {
  if (isFenced(contact)) throw new ContactGoneError();
  if (contact.status !== 'unknown') throw new AlreadyRegisteredError();
  const { contactId, now, source, profile, emailClaim, registeredAt, consents } = command;
  const occurredAt = momentOf({ contactId, now, occurredAt: registeredAt }, '/registeredAt');
  checkCustomFields(new Set(), profile);
  if (emailClaim) checkClaim(contact, emailClaim.claimId);
  return {
    events: [
      {
        type: 'contacts.ContactRegistered.v1',
        data: {
          contactId,
          occurredAt,
          source,
          profile,
          ...optionalFields({ emailClaim: emailClaim?.hash, claimId: emailClaim?.claimId }),
        },
      },
      ...decideConsents(contactId, occurredAt, consents, activeContact(contact)),
    ],
    answer: { contactId },
  };
};
