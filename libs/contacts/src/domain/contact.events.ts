import {
  defineEvent,
  open,
  sealed,
  type DomainEvent,
  type EventDefinition,
  type Personal,
} from '@app/kernel';

/** Everything on stream `contact-<uuid>`. Whatever was decided is in the event, so that no reader repeats a rule. */

export type Gender = 'female' | 'male' | 'other' | 'unspecified';
export type CustomFieldValue = string | number | boolean | readonly string[];
export type Address = Readonly<{ street?: string; postalCode?: string; city?: string; country?: string }>;

export type Profile = Readonly<{
  firstName?: string;
  lastName?: string;
  email?: string;
  phone?: string;
  /** `YYYY-MM-DD`. */
  birthday?: string;
  gender?: Gender;
  /** BCP 47 primary tag: `de`. */
  language?: string;
  address?: Address;
  customFields?: Readonly<Record<string, CustomFieldValue>>;
  tags?: readonly string[];
}>;

/** An RFC 7396 merge patch of a Profile: null removes, objects merge, arrays are replaced. */
export type ProfilePatch = Readonly<Record<string, unknown>>;

/** An amount in minor units of an ISO 4217 currency. */
export type Money = Readonly<{ minor: number; currency: string }>;
export type PurchaseItem = Readonly<{ sku: string; quantity: number; amount?: Money }>;

/** How many points were taken from (or given back to) the lot that credit `entryId` opened. */
export type LotShare = Readonly<{ entryId: string; points: number }>;

export const CHANNELS = ['email', 'push', 'sms', 'inbox'] as const;
export type Channel = (typeof CHANNELS)[number];
export type ContactSource = 'app' | 'import' | 'invitation' | 'dashboard';

type OfContact = { contactId: string; /** When it happened, ISO 8601 UTC. */ occurredAt: string };
/** `balance`: of the pool, after the event. */
type InPool = { pool: string; points: number; balance: number };

export type ContactRegistered = DomainEvent<
  'contacts.ContactRegistered.v1',
  OfContact & {
    source: ContactSource;
    profile: Personal<Profile>;
    /** Keyed hash of the e-mail, and the claim on it that this event makes good. */
    emailClaim?: Personal<string>;
    claimId?: string;
  }
>;
export type ContactDetailsChanged = DomainEvent<
  'contacts.ContactDetailsChanged.v1',
  OfContact & {
    /** Paths of the changed fields: `address.city`. */
    changed: readonly string[];
    profile: Personal<ProfilePatch>;
    /** Set when the e-mail changed: the new hash (absent if removed) and the hash that is free again. */
    emailClaim?: Personal<string>;
    releasedEmailClaim?: Personal<string>;
    claimId?: string;
  }
>;
/** A claim on an e-mail was given up: whoever still wants to write under it conflicts here. */
export type EmailClaimAbandoned = DomainEvent<
  'contacts.EmailClaimAbandoned.v1',
  OfContact & { claimId: string }
>;

/**
 * A registration was sent under an Idempotency-Key with an id of the client's own. On the stream of the contact that the key alone
 * would have made, so that one key registers one contact. `attemptId`: each time it is tried.
 */
export type RegistrationDirected = DomainEvent<
  'contacts.RegistrationDirected.v1',
  OfContact & { registeredId: string; attemptId: string }
>;
/** That attempt was refused, for certain: the key is free unless there are others. */
export type RegistrationWithdrawn = DomainEvent<
  'contacts.RegistrationWithdrawn.v1',
  OfContact & { attemptId: string }
>;

type Consent = OfContact & { purpose: string; channel?: Channel; wordingVersion?: string; source: string };
export type ConsentGranted = DomainEvent<'contacts.ConsentGranted.v1', Consent>;
export type ConsentWithdrawn = DomainEvent<'contacts.ConsentWithdrawn.v1', Consent>;

export type DeviceDetails = Readonly<{
  model?: string;
  osVersion?: string;
  appVersion?: string;
  pushToken?: string;
}>;
export type DeviceRegistered = DomainEvent<
  'contacts.DeviceRegistered.v1',
  OfContact & {
    deviceId: string;
    platform: string;
    /** It has a push token. */
    pushable: boolean;
    device: Personal<DeviceDetails>;
  }
>;
export type DeviceRemoved = DomainEvent<'contacts.DeviceRemoved.v1', OfContact & { deviceId: string }>;

/** Which automation brought a fact about, and for which announcement. */
export type AutomatedBy = Readonly<{
  automationId: string;
  announcementId: string;
  /** Which of its actions, from 0 on. */
  action: number;
  /** How many automations have set off one another up to this one, it included. */
  inARow: number;
}>;

export type PointsCredited = DomainEvent<
  'contacts.PointsCredited.v1',
  OfContact &
    InPool & {
      entryId: string;
      reason: string;
      note?: Personal<string>;
      expiresAt?: string;
      automation?: AutomatedBy;
    }
>;
export type PointsDebited = DomainEvent<
  'contacts.PointsDebited.v1',
  OfContact & InPool & { entryId: string; reason: string; note?: Personal<string>; lots: readonly LotShare[] }
>;
export type PointsExpired = DomainEvent<
  'contacts.PointsExpired.v1',
  OfContact & InPool & { entryId: string; lots: readonly LotShare[] }
>;
/** Undoes a credit (what is left of it) or a debit; `points` is signed as it moves the balance. */
export type PointsReversed = DomainEvent<
  'contacts.PointsReversed.v1',
  OfContact & InPool & { entryId: string; reversedEntryId: string; lots: readonly LotShare[] }
>;

/** `points` earned open a lot under `checkInId`; 0 opens none. */
export type CheckedIn = DomainEvent<
  'contacts.CheckedIn.v1',
  OfContact & InPool & { checkInId: string; locationId?: string; expiresAt?: string }
>;

/** `points` earned open a lot under `purchaseId`; 0 opens none. */
export type PurchaseRecorded = DomainEvent<
  'contacts.PurchaseRecorded.v1',
  OfContact &
    InPool & {
      purchaseId: string;
      /** Leads back to a person through the shop's own books. */
      invoiceNumber: Personal<string>;
      amount: Money;
      locationId?: string;
      items?: readonly PurchaseItem[];
      expiresAt?: string;
    }
>;
/** `points` (as a positive figure) are those taken back. */
export type PurchaseReturned = DomainEvent<
  'contacts.PurchaseReturned.v1',
  OfContact &
    InPool & {
      purchaseId: string;
      amount: Money;
      locationId?: string;
      reason?: string;
      lots: readonly LotShare[];
    }
>;

export type RedemptionType = 'inStore' | 'code' | 'link';
export type RewardRedeemed = DomainEvent<
  'contacts.RewardRedeemed.v1',
  OfContact &
    InPool & {
      redemptionId: string;
      rewardId: string;
      code: string;
      redemptionType: RedemptionType;
      lots: readonly LotShare[];
    }
>;
export type RedemptionCancelled = DomainEvent<
  'contacts.RedemptionCancelled.v1',
  OfContact & InPool & { redemptionId: string; rewardId: string; lots: readonly LotShare[] }
>;
/** Its stock was given back before it came to be: whoever still wants to redeem under this id conflicts here. */
export type RedemptionAbandoned = DomainEvent<
  'contacts.RedemptionAbandoned.v1',
  OfContact & { redemptionId: string; rewardId: string }
>;

export type MessageContent = Readonly<{ subject?: string; body: string }>;
export type MessageSent = DomainEvent<
  'contacts.MessageSent.v1',
  OfContact & {
    messageId: string;
    channel: Channel;
    purpose: string;
    templateId?: string;
    content: Personal<MessageContent>;
    automation?: AutomatedBy;
  }
>;

/** Why a person's data are erased: Article 17 (1) of the GDPR, or a law that asks for it. */
export const LEGAL_GROUNDS = [
  'consentWithdrawn',
  'objection',
  'noLongerNeeded',
  'unlawful',
  'legalObligation',
] as const;
export type LegalGround = (typeof LEGAL_GROUNDS)[number];

type OfErasure = OfContact & { erasureId: string };
/** What a store held of a contact, in records, and how long bytes of it may be left where nothing can be overwritten. */
export type StoreCount = Readonly<{ store: string; records: number }>;
export type StorePurge = Readonly<{ store: string; before: number; after: number; remains?: string }>;

/** It is carried out from `executeAfter` on, and can be cancelled until then. */
export type ErasureRequested = DomainEvent<
  'contacts.ErasureRequested.v1',
  OfErasure & { legalGround: LegalGround; executeAfter: string }
>;
export type ErasureCancelled = DomainEvent<'contacts.ErasureCancelled.v1', OfErasure>;
/** The fence: no command is taken any more. The e-mail is free again. */
export type ErasureStarted = DomainEvent<
  'contacts.ErasureStarted.v1',
  OfErasure & { releasedEmailClaim?: Personal<string> }
>;
/** All that a pool held, whatever lots it was in: so nobody owes them any more and all totals agree. */
export type PointsForfeited = DomainEvent<
  'contacts.PointsForfeited.v1',
  OfErasure & InPool & { entryId: string }
>;
/** Keeps the person from being imported or invited again. The token is a keyed hash, and says nothing without its key. */
export type ContactSuppressed = DomainEvent<
  'contacts.ContactSuppressed.v1',
  OfErasure & { suppressionToken: string }
>;
/** The keys are destroyed: from here on no value can be read. */
export type ContactErased = DomainEvent<
  'contacts.ContactErased.v1',
  OfErasure & {
    keyIds: readonly string[];
    /** Until when the law has what books need kept, under a key of its own; absent: there is nothing. */
    retainedUntil?: string;
    /** What stores held in the clear just before. */
    held: readonly StoreCount[];
  }
>;
/** No value opens any more, and no byte of one is left in the stores but where it says so. */
export type ErasureCompleted = DomainEvent<
  'contacts.ErasureCompleted.v1',
  OfErasure & {
    /** Sealed values of the stream: how many opened never again, and how many are kept by law. */
    valuesErased: number;
    valuesRetained: number;
    stores: readonly StorePurge[];
  }
>;
export type RetainedDataDestroyed = DomainEvent<
  'contacts.RetainedDataDestroyed.v1',
  OfErasure & { keyIds: readonly string[] }
>;

/** Article 18 of the GDPR: stored and nothing else, until it is lifted. `reason` is a code. */
export type ProcessingRestricted = DomainEvent<
  'contacts.ProcessingRestricted.v1',
  OfContact & { reason?: string }
>;
export type RestrictionLifted = DomainEvent<'contacts.RestrictionLifted.v1', OfContact & { reason?: string }>;
/** Article 21 of the GDPR: no profiling, so no segments by rule. */
export type ProfilingObjected = DomainEvent<'contacts.ProfilingObjected.v1', OfContact & { reason?: string }>;
export type ObjectionLifted = DomainEvent<'contacts.ObjectionLifted.v1', OfContact & { reason?: string }>;

export const OVERLAY_MODES = ['include', 'exclude'] as const;
export type OverlayMode = (typeof OVERLAY_MODES)[number];
/** In or out of a segment by hand, whatever its rule says, until it expires or is taken back; it replaces the word before. */
export type SegmentAssigned = DomainEvent<
  'contacts.SegmentAssigned.v1',
  OfContact & { segmentId: string; mode: OverlayMode; reason?: Personal<string>; expiresAt?: string }
>;
export type SegmentUnassigned = DomainEvent<
  'contacts.SegmentUnassigned.v1',
  OfContact & { segmentId: string }
>;

export type ContactEvent =
  | ErasureRequested
  | ErasureCancelled
  | ErasureStarted
  | PointsForfeited
  | ContactSuppressed
  | ContactErased
  | ErasureCompleted
  | RetainedDataDestroyed
  | ProcessingRestricted
  | RestrictionLifted
  | ProfilingObjected
  | ObjectionLifted
  | SegmentAssigned
  | SegmentUnassigned
  | ContactRegistered
  | ContactDetailsChanged
  | EmailClaimAbandoned
  | RegistrationDirected
  | RegistrationWithdrawn
  | ConsentGranted
  | ConsentWithdrawn
  | DeviceRegistered
  | DeviceRemoved
  | PointsCredited
  | PointsDebited
  | PointsExpired
  | PointsReversed
  | CheckedIn
  | PurchaseRecorded
  | PurchaseReturned
  | RewardRedeemed
  | RedemptionCancelled
  | RedemptionAbandoned
  | MessageSent;

/** What a profile holds, for the inventory of personal data. */
export const PROFILE_FIELDS = [
  'firstName',
  'lastName',
  'email',
  'phone',
  'birthday',
  'gender',
  'language',
  'address.street',
  'address.postalCode',
  'address.city',
  'address.country',
  'customFields',
  'tags',
] as const;

const ofContact = { contactId: open, occurredAt: open } as const;
const inPool = { pool: open, points: open, balance: open } as const;
const subject = 'contactId';
const ofErasure = { ...ofContact, erasureId: open } as const;
const withReason = { ...ofContact, reason: open } as const;
const consent = { ...ofContact, purpose: open, channel: open, wordingVersion: open, source: open } as const;

export const contactEventDefinitions: readonly EventDefinition[] = [
  defineEvent<ContactRegistered>({
    type: 'contacts.ContactRegistered.v1',
    subject,
    fields: {
      ...ofContact,
      source: open,
      profile: sealed('profile', PROFILE_FIELDS),
      emailClaim: sealed('contact'),
      claimId: open,
    },
  }),
  defineEvent<ContactDetailsChanged>({
    type: 'contacts.ContactDetailsChanged.v1',
    subject,
    fields: {
      ...ofContact,
      changed: open,
      profile: sealed('profile', PROFILE_FIELDS),
      emailClaim: sealed('contact'),
      releasedEmailClaim: sealed('contact'),
      claimId: open,
    },
  }),
  defineEvent<EmailClaimAbandoned>({
    type: 'contacts.EmailClaimAbandoned.v1',
    fields: { ...ofContact, claimId: open },
  }),
  defineEvent<RegistrationDirected>({
    type: 'contacts.RegistrationDirected.v1',
    fields: { ...ofContact, registeredId: open, attemptId: open },
  }),
  defineEvent<RegistrationWithdrawn>({
    type: 'contacts.RegistrationWithdrawn.v1',
    fields: { ...ofContact, attemptId: open },
  }),
  defineEvent<ConsentGranted>({ type: 'contacts.ConsentGranted.v1', fields: consent }),
  defineEvent<ConsentWithdrawn>({ type: 'contacts.ConsentWithdrawn.v1', fields: consent }),
  defineEvent<DeviceRegistered>({
    type: 'contacts.DeviceRegistered.v1',
    subject,
    fields: {
      ...ofContact,
      deviceId: open,
      platform: open,
      pushable: open,
      device: sealed('device', ['model', 'osVersion', 'appVersion', 'pushToken']),
    },
  }),
  defineEvent<DeviceRemoved>({
    type: 'contacts.DeviceRemoved.v1',
    fields: { ...ofContact, deviceId: open },
  }),
  defineEvent<PointsCredited>({
    type: 'contacts.PointsCredited.v1',
    subject,
    fields: {
      ...ofContact,
      ...inPool,
      entryId: open,
      reason: open,
      note: sealed('freetext'),
      expiresAt: open,
      automation: open,
    },
  }),
  defineEvent<PointsDebited>({
    type: 'contacts.PointsDebited.v1',
    subject,
    fields: { ...ofContact, ...inPool, entryId: open, reason: open, note: sealed('freetext'), lots: open },
  }),
  defineEvent<PointsExpired>({
    type: 'contacts.PointsExpired.v1',
    fields: { ...ofContact, ...inPool, entryId: open, lots: open },
  }),
  defineEvent<PointsReversed>({
    type: 'contacts.PointsReversed.v1',
    fields: { ...ofContact, ...inPool, entryId: open, reversedEntryId: open, lots: open },
  }),
  defineEvent<CheckedIn>({
    type: 'contacts.CheckedIn.v1',
    fields: { ...ofContact, ...inPool, checkInId: open, locationId: open, expiresAt: open },
  }),
  defineEvent<PurchaseRecorded>({
    type: 'contacts.PurchaseRecorded.v1',
    subject,
    fields: {
      ...ofContact,
      ...inPool,
      purchaseId: open,
      invoiceNumber: sealed('accounting'),
      amount: open,
      locationId: open,
      items: open,
      expiresAt: open,
    },
  }),
  defineEvent<PurchaseReturned>({
    type: 'contacts.PurchaseReturned.v1',
    fields: {
      ...ofContact,
      ...inPool,
      purchaseId: open,
      amount: open,
      locationId: open,
      reason: open,
      lots: open,
    },
  }),
  defineEvent<RewardRedeemed>({
    type: 'contacts.RewardRedeemed.v1',
    fields: {
      ...ofContact,
      ...inPool,
      redemptionId: open,
      rewardId: open,
      code: open,
      redemptionType: open,
      lots: open,
    },
  }),
  defineEvent<RedemptionCancelled>({
    type: 'contacts.RedemptionCancelled.v1',
    fields: { ...ofContact, ...inPool, redemptionId: open, rewardId: open, lots: open },
  }),
  defineEvent<RedemptionAbandoned>({
    type: 'contacts.RedemptionAbandoned.v1',
    fields: { ...ofContact, redemptionId: open, rewardId: open },
  }),
  defineEvent<MessageSent>({
    type: 'contacts.MessageSent.v1',
    subject,
    fields: {
      ...ofContact,
      messageId: open,
      channel: open,
      purpose: open,
      templateId: open,
      automation: open,
      content: sealed('freetext', ['subject', 'body']),
    },
  }),
  defineEvent<ErasureRequested>({
    type: 'contacts.ErasureRequested.v1',
    fields: { ...ofErasure, legalGround: open, executeAfter: open },
  }),
  defineEvent<ErasureCancelled>({ type: 'contacts.ErasureCancelled.v1', fields: ofErasure }),
  defineEvent<ErasureStarted>({
    type: 'contacts.ErasureStarted.v1',
    subject,
    fields: { ...ofErasure, releasedEmailClaim: sealed('contact') },
  }),
  defineEvent<PointsForfeited>({
    type: 'contacts.PointsForfeited.v1',
    fields: { ...ofErasure, ...inPool, entryId: open },
  }),
  defineEvent<ContactSuppressed>({
    type: 'contacts.ContactSuppressed.v1',
    fields: { ...ofErasure, suppressionToken: open },
  }),
  defineEvent<ContactErased>({
    type: 'contacts.ContactErased.v1',
    fields: { ...ofErasure, keyIds: open, retainedUntil: open, held: open },
  }),
  defineEvent<ErasureCompleted>({
    type: 'contacts.ErasureCompleted.v1',
    fields: { ...ofErasure, valuesErased: open, valuesRetained: open, stores: open },
  }),
  defineEvent<RetainedDataDestroyed>({
    type: 'contacts.RetainedDataDestroyed.v1',
    fields: { ...ofErasure, keyIds: open },
  }),
  defineEvent<ProcessingRestricted>({ type: 'contacts.ProcessingRestricted.v1', fields: withReason }),
  defineEvent<RestrictionLifted>({ type: 'contacts.RestrictionLifted.v1', fields: withReason }),
  defineEvent<ProfilingObjected>({ type: 'contacts.ProfilingObjected.v1', fields: withReason }),
  defineEvent<ObjectionLifted>({ type: 'contacts.ObjectionLifted.v1', fields: withReason }),
  defineEvent<SegmentAssigned>({
    type: 'contacts.SegmentAssigned.v1',
    subject,
    fields: { ...ofContact, segmentId: open, mode: open, reason: sealed('freetext'), expiresAt: open },
  }),
  defineEvent<SegmentUnassigned>({
    type: 'contacts.SegmentUnassigned.v1',
    fields: { ...ofContact, segmentId: open },
  }),
];

export const contactStream = (contactId: string): string => `contact-${contactId}`;
