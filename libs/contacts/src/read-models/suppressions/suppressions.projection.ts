import { open } from '@app/kernel';
import { defineProjection, inClear } from '@app/read-store';
import type { ContactSuppressed } from '../../domain/contact.events';

/** E-mails and phone numbers, by keyed hash, that nothing is imported for and nobody is invited under, since their contact was erased. */
export type Suppression = Readonly<{ suppressedAt: string }>;

export const suppressionsProjection = defineProjection<Suppression, ContactSuppressed>({
  name: 'suppressions',
  version: 1,
  keys: ({ data }) => [data.suppressionToken],
  fields: { _id: inClear('contact', ['keyed hash of the e-mail or the phone']), suppressedAt: open },
  indexes: [],
  on: {
    'contacts.ContactSuppressed.v1': (known, { data }) => known ?? { suppressedAt: data.occurredAt },
  },
});
