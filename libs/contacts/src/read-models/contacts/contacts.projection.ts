import { open, type Personal, type RecordedEvent } from '@app/kernel';
import { defineProjection, inClear } from '@app/read-store';
import { foldText } from '@app/rules';
import {
  PROFILE_FIELDS,
  type ConsentGranted,
  type ConsentWithdrawn,
  type ContactEvent,
  type Money,
  type Profile,
} from '../../domain/contact.events';
import { applyPatch } from './apply-patch';
import { CONTACT_INDEXES, dynamicSortPathsOf } from './contact-columns';
import type { Consent, ContactDocument, Counts } from './contact.document';
import { figureOf, type Figures } from './figures';
import { moveLots, nextExpiryOf, openLot } from './lots';
import { searchTermsOf } from './search-terms';

/**
 * The contact's row and details in one document. It reads every event type of the stream, since `revision` is the ETag.
 * Activity is what somebody did: expiries and recoveries, which the system does by itself, and messages, which would make
 * everybody active who gets a newsletter, do not count.
 */
export const contactsProjection = defineProjection<ContactDocument, ContactEvent>({
  name: 'contacts',
  version: 3,
  keys: ({ data }) => [data.contactId],
  indexes: CONTACT_INDEXES,
  indexesFor: dynamicSortPathsOf,
  fields: {
    contactId: open,
    revision: open,
    source: open,
    registeredAt: open,
    registeredMonth: open,
    lastActivityAt: open,
    lastCheckInAt: open,
    profile: inClear('profile', PROFILE_FIELDS),
    points: open,
    lots: open,
    nextExpiryAt: open,
    consents: open,
    devices: inClear('device', ['model', 'osVersion', 'appVersion']),
    counts: open,
    spend: open,
    sort: inClear('profile', ['lastName', 'firstName', 'email', 'city']),
    search: inClear('profile', ['firstName', 'lastName', 'email', 'phone']),
    segments: open,
    segmentsDueAt: open,
    facts: inClear('profile', PROFILE_FIELDS),
    membership: open,
    erasure: open,
    processingRestricted: open,
    profilingObjected: open,
  },
  on: {
    'contacts.ContactRegistered.v1': (_, { data, meta }) => ({
      contactId: data.contactId,
      revision: meta.revision,
      source: data.source,
      registeredAt: data.occurredAt,
      registeredMonth: data.occurredAt.slice(0, 7),
      lastActivityAt: data.occurredAt,
      lastCheckInAt: null,
      ...profileFields(data.profile ?? {}),
      points: {},
      lots: [],
      nextExpiryAt: null,
      consents: [],
      devices: [],
      counts: { purchases: 0, checkIns: 0, redemptions: 0, messages: 0 },
      spend: {},
    }),
    'contacts.ContactDetailsChanged.v1': (doc, event) =>
      doc && active(doc, event, profileFields(changedProfile(doc.profile, event.data.profile))),
    'contacts.EmailClaimAbandoned.v1': (doc, event) => doc && moved(doc, event),
    'contacts.RegistrationDirected.v1': (doc, event) => doc && moved(doc, event),
    'contacts.RegistrationWithdrawn.v1': (doc, event) => doc && moved(doc, event),
    'contacts.ConsentGranted.v1': (doc, event) =>
      doc && active(doc, event, { consents: withConsent(doc.consents, event) }),
    'contacts.ConsentWithdrawn.v1': (doc, event) =>
      doc && active(doc, event, { consents: withConsent(doc.consents, event) }),
    'contacts.DeviceRegistered.v1': (doc, event) => {
      if (!doc) return null;
      const { deviceId, platform, pushable, device, occurredAt } = event.data;
      const others = doc.devices.filter((known) => known.deviceId !== deviceId);
      return active(doc, event, {
        devices: [
          ...others,
          {
            deviceId,
            platform,
            pushable,
            model: device?.model ?? null,
            osVersion: device?.osVersion ?? null,
            appVersion: device?.appVersion ?? null,
            registeredAt: occurredAt,
          },
        ],
      });
    },
    'contacts.DeviceRemoved.v1': (doc, event) =>
      doc &&
      active(doc, event, {
        devices: doc.devices.filter(({ deviceId }) => deviceId !== event.data.deviceId),
      }),
    'contacts.PointsCredited.v1': (doc, event) =>
      doc && active(doc, event, earned(doc, event.data, event.data.entryId)),
    'contacts.PointsDebited.v1': (doc, event) => doc && active(doc, event, shifted(doc, event, -1)),
    'contacts.PointsExpired.v1': (doc, event) => doc && moved(doc, event, shifted(doc, event, -1)),
    'contacts.PointsReversed.v1': (doc, event) =>
      doc && active(doc, event, shifted(doc, event, event.data.points < 0 ? -1 : 1)),
    'contacts.CheckedIn.v1': (doc, event) =>
      doc &&
      active(doc, event, {
        ...earned(doc, event.data, event.data.checkInId),
        lastCheckInAt: later(doc.lastCheckInAt, event.data.occurredAt),
        counts: counted(doc.counts, 'checkIns'),
      }),
    'contacts.PurchaseRecorded.v1': (doc, event) =>
      doc &&
      active(doc, event, {
        ...earned(doc, event.data, event.data.purchaseId),
        spend: spent(doc.spend, event.data.amount, 1),
        counts: counted(doc.counts, 'purchases'),
      }),
    'contacts.PurchaseReturned.v1': (doc, event) =>
      doc &&
      active(doc, event, {
        ...shifted(doc, event, -1),
        spend: spent(doc.spend, event.data.amount, -1),
      }),
    'contacts.RewardRedeemed.v1': (doc, event) =>
      doc && active(doc, event, { ...shifted(doc, event, -1), counts: counted(doc.counts, 'redemptions') }),
    'contacts.RedemptionCancelled.v1': (doc, event) => doc && active(doc, event, shifted(doc, event, 1)),
    'contacts.RedemptionAbandoned.v1': (doc, event) => doc && moved(doc, event),
    'contacts.MessageSent.v1': (doc, event) =>
      doc && moved(doc, event, { counts: counted(doc.counts, 'messages') }),
    'contacts.ProcessingRestricted.v1': (doc, event) =>
      doc && moved(doc, event, { processingRestricted: true, nextExpiryAt: null }),
    'contacts.RestrictionLifted.v1': (doc, event) => {
      if (!doc) return null;
      const { processingRestricted: _, ...others } = doc;
      return moved(others, event, { nextExpiryAt: nextExpiryOf(doc.lots) });
    },
    'contacts.ProfilingObjected.v1': (doc, event) => doc && moved(doc, event, { profilingObjected: true }),
    'contacts.ObjectionLifted.v1': (doc, event) => {
      if (!doc) return null;
      const { profilingObjected: _, ...others } = doc;
      return moved(others, event);
    },
    'contacts.SegmentAssigned.v1': (doc, event) => doc && moved(doc, event),
    'contacts.SegmentUnassigned.v1': (doc, event) => doc && moved(doc, event),
    'contacts.ErasureRequested.v1': (doc, event) => doc && moved(doc, event),
    'contacts.ErasureCancelled.v1': (doc, event) => doc && moved(doc, event),
    'contacts.ErasureStarted.v1': (doc, event) =>
      doc && moved(doc, event, { erasure: 'executing', nextExpiryAt: null }),
    'contacts.PointsForfeited.v1': (doc, event) =>
      doc &&
      moved(doc, event, {
        points: balances(doc.points, event.data),
        lots: doc.lots.filter(({ pool }) => pool !== event.data.pool),
      }),
    'contacts.ContactSuppressed.v1': (doc, event) => doc && moved(doc, event),
    'contacts.ContactErased.v1': (doc, event) => doc && stripped(doc, event),
    'contacts.ErasureCompleted.v1': (doc, event) => doc && moved(doc, event),
    'contacts.RetainedDataDestroyed.v1': (doc, event) => doc && moved(doc, event),
  },
});

type Changes = Partial<ContactDocument>;

const moved = (doc: ContactDocument, { meta }: RecordedEvent<ContactEvent>, changes?: Changes) => ({
  ...doc,
  ...changes,
  revision: meta.revision,
});

const active = (doc: ContactDocument, event: RecordedEvent<ContactEvent>, changes: Changes) => ({
  ...doc,
  ...changes,
  revision: event.meta.revision,
  lastActivityAt: later(doc.lastActivityAt, event.data.occurredAt),
});

/** A pseudonym and figures: what totals are made of. */
const stripped = (
  {
    contactId,
    source,
    registeredAt,
    registeredMonth,
    lastActivityAt,
    points,
    counts,
    spend,
  }: ContactDocument,
  { meta }: RecordedEvent<ContactEvent>,
): ContactDocument => ({
  contactId,
  revision: meta.revision,
  source,
  registeredAt,
  registeredMonth,
  lastActivityAt,
  lastCheckInAt: null,
  ...profileFields({}),
  points,
  lots: [],
  nextExpiryAt: null,
  consents: [],
  devices: [],
  counts,
  spend,
  erasure: 'erased',
});

/** Back-dated facts come late: what happened last need not have been recorded last. */
const later = (known: string | null, other: string): string =>
  known !== null && known > other ? known : other;

const changedProfile = (profile: Profile, patch: Personal<Readonly<Record<string, unknown>>>): Profile =>
  patch === null ? profile : applyPatch(profile, patch);

const profileFields = (profile: Profile): Pick<ContactDocument, 'profile' | 'sort' | 'search'> => {
  const { lastName, firstName, email, address } = profile;
  const city = address?.city;
  return {
    profile,
    sort: {
      ...(lastName !== undefined && { lastName: foldText(lastName) }),
      ...(firstName !== undefined && { firstName: foldText(firstName) }),
      ...(email !== undefined && { email: foldText(email) }),
      ...(city !== undefined && { city: foldText(city) }),
    },
    search: searchTermsOf(profile),
  };
};

const withConsent = (
  consents: readonly Consent[],
  { type, data }: ConsentGranted | ConsentWithdrawn,
): readonly Consent[] => {
  const { purpose, channel = null, occurredAt, wordingVersion = null, source } = data;
  // A word on all channels replaces what was said of single ones before.
  const others = consents.filter(
    (known) => known.purpose !== purpose || (channel !== null && known.channel !== channel),
  );
  const granted = type === 'contacts.ConsentGranted.v1';
  return [...others, { purpose, channel, granted, at: occurredAt, wordingVersion, source }];
};

type InPool = Readonly<{ pool: string; points: number; balance: number }>;

const balances = (points: Figures, { pool, points: moved, balance }: InPool): Figures =>
  // An action that earned nothing does not open a pool.
  moved === 0 && figureOf(points, pool) === null ? points : { ...points, [pool]: balance };

const earned = (doc: ContactDocument, data: InPool & { expiresAt?: string }, entryId: string): Changes => {
  const { pool, points, expiresAt } = data;
  return {
    points: balances(doc.points, data),
    ...withLots(openLot(doc.lots, { entryId, pool, points, expiresAt }), doc),
  };
};

const shifted = (
  doc: ContactDocument,
  { data, meta }: RecordedEvent<Extract<ContactEvent, { data: { lots: unknown } }>>,
  direction: 1 | -1,
): Changes => ({
  points: balances(doc.points, data),
  ...withLots(moveLots(doc.lots, data.lots, direction, meta.recordedAt), doc),
});

const withLots = (lots: ContactDocument['lots'], doc: ContactDocument): Changes =>
  lots === doc.lots ? {} : { lots, nextExpiryAt: expires(doc) ? nextExpiryOf(lots) : null };

/** While processing is restricted points stay as they are, and an erasure forfeits them. */
const expires = ({ erasure, processingRestricted }: ContactDocument): boolean =>
  erasure === undefined && processingRestricted === undefined;

const counted = (counts: Counts, name: keyof Counts): Counts => ({ ...counts, [name]: counts[name] + 1 });

const spent = (spend: Figures, { minor, currency }: Money, sign: 1 | -1): Figures => ({
  ...spend,
  [currency]: (figureOf(spend, currency) ?? 0) + sign * minor,
});
