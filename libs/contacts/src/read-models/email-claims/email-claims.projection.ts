import { open } from '@app/kernel';
import { defineProjection, inClear } from '@app/read-store';
import type { ContactDetailsChanged, ContactRegistered, ErasureStarted } from '../../domain/contact.events';

/** Who holds an e-mail by the log, by its keyed hash. */
export type EmailClaim = Readonly<{ contactId: string; claimId: string | null }>;

/** `_id` is the keyed hash, which goes with the contact: an erasure releases it before its key is destroyed. */
export const emailClaimsProjection = defineProjection<
  EmailClaim,
  ContactRegistered | ContactDetailsChanged | ErasureStarted
>({
  name: 'email_claims',
  version: 1,
  keys: ({ data }) =>
    [
      'emailClaim' in data ? data.emailClaim : null,
      'releasedEmailClaim' in data ? data.releasedEmailClaim : null,
    ].filter((hash) => hash !== undefined && hash !== null),
  fields: { _id: inClear('contact', ['keyed hash of the e-mail']), contactId: open, claimId: open },
  indexes: [],
  on: {
    'contacts.ContactRegistered.v1': (_, { data }) => held(data),
    'contacts.ContactDetailsChanged.v1': (claim, { data }, hash) => {
      if (hash === data.emailClaim) return held(data);
      return released(claim, data);
    },
    'contacts.ErasureStarted.v1': (claim, { data }) => released(claim, data),
  },
});

/** Somebody else may hold it by now. */
const released = (claim: EmailClaim | null, { contactId }: Readonly<{ contactId: string }>) =>
  claim?.contactId === contactId ? null : claim;

const held = ({ contactId, claimId = null }: Readonly<{ contactId: string; claimId?: string | null }>) => ({
  contactId,
  claimId,
});
