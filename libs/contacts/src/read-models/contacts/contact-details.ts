import type { Profile } from '../../domain/contact.events';
import type { Consent, ContactDocument, Counts, Device, Lot } from './contact.document';
import type { Figures } from './figures';

/** A contact as its own page shows it. */
export type ContactDetails = Readonly<{
  contactId: string;
  revision: number;
  profile: Profile;
  registeredAt: string;
  source: string;
  balances: Figures;
  /** What the balances consist of, in the order in which debits take from it; what never expires comes last. */
  lots: readonly Readonly<{ pool: string; points: number; expiresAt: string | null }>[];
  consents: readonly Consent[];
  devices: readonly Device[];
  segments: readonly string[];
  lastActivityAt: string;
  lastCheckInAt: string | null;
  counts: Counts;
  spend: Figures;
  processingRestricted: boolean;
  profilingObjection: boolean;
}>;

/** What of a document details are made of, and what decides who may see them. */
export const DETAIL_FIELDS = [
  'contactId',
  'revision',
  'profile',
  'registeredAt',
  'source',
  'points',
  'lots',
  'consents',
  'devices',
  'segments',
  'lastActivityAt',
  'lastCheckInAt',
  'counts',
  'spend',
  'erasure',
  'processingRestricted',
  'profilingObjected',
] as const satisfies readonly (keyof ContactDocument)[];

export type DetailedContact = Pick<ContactDocument, (typeof DETAIL_FIELDS)[number]>;

export const contactDetails = (doc: DetailedContact): ContactDetails => ({
  contactId: doc.contactId,
  revision: doc.revision,
  profile: doc.profile,
  registeredAt: doc.registeredAt,
  source: doc.source,
  balances: doc.points,
  lots: Object.entries(doc.points).flatMap(([pool, balance]) => lotsOf(pool, balance, doc.lots)),
  consents: doc.consents,
  devices: doc.devices,
  segments: doc.segments ?? [],
  lastActivityAt: doc.lastActivityAt,
  lastCheckInAt: doc.lastCheckInAt,
  counts: doc.counts,
  spend: doc.spend,
  processingRestricted: doc.processingRestricted === true,
  profilingObjection: doc.profilingObjected === true,
});

const lotsOf = (pool: string, balance: number, lots: readonly Lot[]): ContactDetails['lots'] => {
  const expiring = lots
    .filter((lot) => lot.pool === pool && lot.points > 0)
    .map(({ points, expiresAt }) => ({ pool, points, expiresAt }))
    .sort((one, other) => (one.expiresAt < other.expiresAt ? -1 : one.expiresAt > other.expiresAt ? 1 : 0));
  const rest = expiring.reduce((points, lot) => points - lot.points, balance);
  return rest > 0 ? [...expiring, { pool, points: rest, expiresAt: null }] : expiring;
};
