import { ageOn } from '@app/rules';
import type { ContactDocument } from './contact.document';
import type { Figures } from './figures';

/** A contact as lists show it; null where nothing is known. */
export type ContactRow = Readonly<{
  contactId: string;
  firstName: string | null;
  lastName: string | null;
  email: string | null;
  phone: string | null;
  gender: string | null;
  birthday: string | null;
  /** On the day of asking. */
  age: number | null;
  language: string | null;
  city: string | null;
  country: string | null;
  points: Figures;
  registeredAt: string;
  lastActivityAt: string;
  lastCheckInAt: string | null;
  counts: ContactDocument['counts'];
  spend: Figures;
  tags: readonly string[];
  /** Ids of the segments the contact is a member of. */
  segments: readonly string[];
}>;

/** What of a document a row is made of. */
export const ROW_FIELDS: readonly string[] = [
  'contactId',
  'profile.firstName',
  'profile.lastName',
  'profile.email',
  'profile.phone',
  'profile.gender',
  'profile.birthday',
  'profile.language',
  'profile.address.city',
  'profile.address.country',
  'profile.tags',
  'points',
  'registeredAt',
  'lastActivityAt',
  'lastCheckInAt',
  'counts',
  'spend',
  'segments',
];

/** `today`: the date on which ages are taken. */
export const contactRow = (doc: ContactDocument, today: string): ContactRow => {
  const { firstName, lastName, email, phone, gender, birthday, language, address, tags } = doc.profile;
  return {
    contactId: doc.contactId,
    firstName: firstName ?? null,
    lastName: lastName ?? null,
    email: email ?? null,
    phone: phone ?? null,
    gender: gender ?? null,
    birthday: birthday ?? null,
    age: birthday === undefined ? null : ageOn(birthday, today),
    language: language ?? null,
    city: address?.city ?? null,
    country: address?.country ?? null,
    points: doc.points,
    registeredAt: doc.registeredAt,
    lastActivityAt: doc.lastActivityAt,
    lastCheckInAt: doc.lastCheckInAt,
    counts: doc.counts,
    spend: doc.spend,
    tags: tags ?? [],
    segments: doc.segments ?? [],
  };
};
