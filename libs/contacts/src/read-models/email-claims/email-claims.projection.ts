import { defineProjection } from '@app/read-store';
import type { ContactDetailsChanged, ContactRegistered } from '../../domain/contact.events';

/** Who holds an e-mail by the log, by its keyed hash. */
export type EmailClaim = Readonly<{ contactId: string; claimId: string | null }>;

export const emailClaimsProjection = defineProjection<EmailClaim, ContactRegistered | ContactDetailsChanged>({
  name: 'email_claims',
  version: 1,
  keys: ({ data }) =>
    [data.emailClaim, 'releasedEmailClaim' in data ? data.releasedEmailClaim : null].filter(
      (hash) => hash !== undefined && hash !== null,
    ),
  indexes: [],
  on: {
    'contacts.ContactRegistered.v1': (_, { data }) => held(data),
    'contacts.ContactDetailsChanged.v1': (claim, { data }, hash) => {
      if (hash === data.emailClaim) return held(data);
      // Somebody else may hold it by now.
      return claim?.contactId === data.contactId ? null : claim;
    },
  },
});

const held = ({ contactId, claimId = null }: Readonly<{ contactId: string; claimId?: string | null }>) => ({
  contactId,
  claimId,
});
