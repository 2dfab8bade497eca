import type { Channel, ContactSource, Profile } from '../../domain/contact.events';
import type { Figures } from './figures';

/** One contact as lists, details and filters need it. Nothing in it grows with the length of the contact's history. */
export type ContactDocument = Readonly<{
  contactId: string;
  /** Of the contact's stream: its ETag. Every event of the stream moves it. */
  revision: number;
  source: ContactSource;
  registeredAt: string;
  /** `YYYY-MM` of it, which the summary groups by. */
  registeredMonth: string;
  /** Of the latest thing that was done by or for the contact; see contacts.projection. */
  lastActivityAt: string;
  lastCheckInAt: string | null;
  profile: Profile;
  /** Balance by pool; a pool that never moved is not there. */
  points: Figures;
  lots: readonly Lot[];
  /** When the next open lot expires. */
  nextExpiryAt: string | null;
  consents: readonly Consent[];
  devices: readonly Device[];
  counts: Counts;
  /** Minor units by currency, returns taken off. */
  spend: Figures;
  /** Folded values (foldText) that text columns are sorted and compared by. */
  sort: Readonly<{ lastName?: string; firstName?: string; email?: string; city?: string }>;
  /** What the prefix search looks through. */
  search: readonly string[];
  /**
   * What segments keep with the contact, folded together with it: the ids of those it is in (sorted), when the next of them is
   * to be asked again, and what their rules need. Absent: not folded by that context.
   */
  segments?: readonly string[];
  segmentsDueAt?: string | null;
  facts?: object;
  membership?: object;
  /** Absent: it lives. From `executing` on nobody is shown it; once `erased`, nothing but figures is left. */
  erasure?: 'executing' | 'erased';
  /** Absent: not so. */
  processingRestricted?: true;
  profilingObjected?: true;
}>;

/** How often it was recorded; what is returned or cancelled later stays counted. */
export type Counts = Readonly<{ purchases: number; checkIns: number; redemptions: number; messages: number }>;

/** What is left of a credit that expires. Points that never expire need no lot: they are the rest of the balance. */
export type Lot = Readonly<{ entryId: string; pool: string; points: number; expiresAt: string }>;

/** The latest word on a purpose, for one channel or (null) for all. */
export type Consent = Readonly<{
  purpose: string;
  channel: Channel | null;
  granted: boolean;
  at: string;
  wordingVersion: string | null;
  source: string;
}>;

/** The push token itself is not kept here. */
export type Device = Readonly<{
  deviceId: string;
  platform: string;
  pushable: boolean;
  model: string | null;
  osVersion: string | null;
  appVersion: string | null;
  registeredAt: string;
}>;
