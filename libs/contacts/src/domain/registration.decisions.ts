import { addMillis, type Decision } from '@app/kernel';
import { decideConsents, type ConsentChoice } from './consents.decisions';
import { AlreadyRegisteredError, ContactGoneError, KeyUsedForAnotherError } from './contact.errors';
import type { ContactEvent, ContactSource, Profile } from './contact.events';
import { activeContact, type Contact, type UnknownContact } from './contact.state';
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

/** Says on the stream of the contact that an Idempotency-Key would have made that its registration is tried for another id. */
export type DirectRegistration = OnContact &
  Readonly<{ type: 'DirectRegistration'; registeredId: string; attemptId: string }>;
/** Takes one attempt back that was refused. */
export type WithdrawRegistration = OnContact & Readonly<{ type: 'WithdrawRegistration'; attemptId: string }>;

/** As long as keys are remembered. */
const KEY_REMEMBERED_MS = 86_400_000;

export const decideRegistration = (
  command: RegisterContact,
  contact: Contact,
): Decision<ContactEvent, { contactId: string }> => {
  if (isFenced(contact)) throw new ContactGoneError();
  if (contact.status !== 'unknown') throw new AlreadyRegisteredError();
  if (isDirected(contact, command.now)) throw new KeyUsedForAnotherError();
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

export const decideDirection = (
  { contactId, now, registeredId, attemptId }: DirectRegistration,
  contact: Contact,
): Decision<ContactEvent, object> => {
  if (contact.status !== 'unknown') throw new KeyUsedForAnotherError();
  if (isDirected(contact, now) && contact.directed?.registeredId !== registeredId)
    throw new KeyUsedForAnotherError();
  return {
    events: [
      {
        type: 'contacts.RegistrationDirected.v1',
        data: { contactId, occurredAt: now, registeredId, attemptId },
      },
    ],
    answer: {},
  };
};

export const decideWithdrawal = (
  { contactId, now, attemptId }: WithdrawRegistration,
  contact: Contact,
): Decision<ContactEvent, object> => ({
  events:
    contact.status === 'unknown' && contact.directed?.attempts.has(attemptId) === true
      ? [{ type: 'contacts.RegistrationWithdrawn.v1', data: { contactId, occurredAt: now, attemptId } }]
      : [],
  answer: {},
});

const isDirected = ({ directed }: UnknownContact, now: string): boolean =>
  directed !== null && addMillis(directed.lastAt, KEY_REMEMBERED_MS) > now;
