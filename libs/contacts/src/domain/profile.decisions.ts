import type { Decision } from '@app/kernel';
import { CUSTOM_FIELDS_MAX, NothingToChangeError, TooManyCustomFieldsError } from './contact.errors';
import type { ContactEvent, ProfilePatch } from './contact.events';
import type { ActiveContact, Contact } from './contact.state';
import { registered, type OnContact } from './decision-basics';
import { checkClaim, type EmailClaim } from './email-claims.decisions';
import { optionalFields } from './optional-fields';

export type ChangeContactDetails = OnContact &
  Readonly<{
    type: 'ChangeContactDetails';
    /** RFC 7396: null removes, objects merge, arrays are replaced. */
    patch: ProfilePatch;
    /** Set where the patch names an e-mail. */
    emailClaim?: EmailClaim | undefined;
  }>;

/** Old values are not known here (they are personal), so a field that is named is recorded as changed, whatever it was. */
export const decideChangeDetails = (
  command: ChangeContactDetails,
  contact: Contact,
): Decision<ContactEvent, { contactId: string }> => {
  const { contactId, now, patch } = command;
  const active = registered(contact);
  const changed = changedPaths(patch);
  if (changed.length === 0) throw new NothingToChangeError();
  checkCustomFields(active.customFieldNames, patch);
  return {
    events: [
      {
        type: 'contacts.ContactDetailsChanged.v1',
        data: { contactId, occurredAt: now, changed, profile: patch, ...emailMove(command, active) },
      },
    ],
    answer: { contactId },
  };
};

/** Fields inside which a patch merges. */
const MERGED = ['address', 'customFields'];

/** `['lastName', 'address.city']`: every field the patch names, sorted, so that equal patches leave equal events. */
export const changedPaths = (patch: ProfilePatch): readonly string[] =>
  Object.entries(patch)
    .flatMap(([field, value]) =>
      MERGED.includes(field) && value !== null && typeof value === 'object'
        ? Object.keys(value).map((inner) => `${field}.${inner}`)
        : [field],
    )
    .sort();

/** A patch names single custom fields, so only their names over time tell how many there are. */
export const checkCustomFields = (
  before: ReadonlySet<string>,
  { customFields }: Readonly<{ customFields?: unknown }>,
): void => {
  if (customFields === undefined || customFields === null) return;
  const names = new Set(before);
  for (const [name, value] of Object.entries(customFields)) {
    if (value === null) names.delete(name);
    else names.add(name);
  }
  if (names.size > CUSTOM_FIELDS_MAX) throw new TooManyCustomFieldsError();
};

const emailMove = (
  { patch, emailClaim }: ChangeContactDetails,
  contact: ActiveContact,
): { emailClaim?: string; releasedEmailClaim?: string; claimId?: string } => {
  if (!Object.hasOwn(patch, 'email')) return {};
  const releasedEmailClaim = contact.emailClaim ?? undefined;
  if (!emailClaim) return optionalFields({ releasedEmailClaim });
  // The same e-mail, or another way of writing it.
  if (emailClaim.hash === contact.emailClaim) return {};
  checkClaim(contact, emailClaim.claimId);
  return optionalFields({ emailClaim: emailClaim.hash, claimId: emailClaim.claimId, releasedEmailClaim });
};
