import type { AccessEvent } from '../../libs/access/src/domain/access.events';
import type {
  AnnouncementsHandled,
  AutomationEvent,
} from '../../libs/automations/src/domain/automation.events';
import type { ContactEvent } from '../../libs/contacts/src/domain/contact.events';
import type { ProgrammeChanged } from '../../libs/contacts/src/domain/programme.events';
import type { PrivacyLogEvent } from '../../libs/privacy-log/src/domain/privacy.events';
import type { RewardEvent } from '../../libs/rewards/src/domain/reward.events';
import type { AnnouncementEvent } from '../../libs/segments/src/domain/announcement.events';
import type { SegmentEvent } from '../../libs/segments/src/domain/segment.events';
import type { SegmentGraphEvent } from '../../libs/segments/src/domain/segment-graph.events';
import { GOLDEN_CONTACT_ID } from './golden-codec';

const occurredAt = '2026-02-03T04:05:06.789Z';
const ofContact = { contactId: GOLDEN_CONTACT_ID, occurredAt };
const ofReward = { rewardId: '7a0e6a55-3f27-4b3e-8d8e-b0f1f4b7a001', occurredAt };
const ofKey = { keyId: 'key-1', occurredAt };
const ofErasure = { ...ofContact, erasureId: '9c1f8a5e-52c3-4a0d-8f27-3d7c1e0b6a01' };
const inPool = { pool: 'main', points: 30, balance: 130 };
const lots = [{ entryId: 'entry-1', points: 30 }];
const consent = { purpose: 'marketing', channel: 'email', wordingVersion: '2026-01', source: 'app' } as const;
const expiresAt = '2027-02-03T04:05:06.789Z';
const segmentId = '5e0a8c12-7a55-4d0f-9c11-2b6d3f4a5c01';
const ofSegment = { segmentId, occurredAt };
const segmentRule = {
  rule: {
    dsl: 1,
    tz: 'Europe/Vienna',
    weekStart: 'MO',
    root: { attr: 'profile.language', op: 'eq', value: 'de' },
  },
  ruleHash: '6d1c3f0e9a',
  template: { name: 'byLanguage', params: { language: 'de' } },
} as const;
const ofStay = {
  ...ofContact,
  segmentId,
  version: 2,
  at: occurredAt,
  cause: { kind: 'event', eventId: 'event-1', at: occurredAt, position: '4711' },
  stayId: `${segmentId} ${GOLDEN_CONTACT_ID} ${occurredAt} 4711 event`,
} as const;
const automation = {
  automationId: '2f6d1a90-4b1e-4a57-8d35-6c0a9b7e1d01',
  announcementId: 'event-2',
  action: 0,
  inARow: 1,
} as const;
const ofAutomation = { automationId: automation.automationId, occurredAt };
const automationTerms = {
  on: { segmentId, change: 'entered' },
  then: [
    { type: 'sendMessage', channel: 'inbox', purpose: 'service', subject: 'Hello', body: 'Welcome' },
    { type: 'creditPoints', points: 5, reason: 'welcome', pool: 'main' },
  ],
  limitPerContact: 1,
} as const;
const redemptionId = 'redemption-1';
const { rewardId } = ofReward;
const ofRedemption = { ...ofReward, contactId: GOLDEN_CONTACT_ID, redemptionId };

/** One event of every type that is written today, with all optional fields. `record.ts` stores those that have no sample yet. */
export const sampleEvents: readonly (
  | AccessEvent
  | AnnouncementEvent
  | AnnouncementsHandled
  | AutomationEvent
  | ContactEvent
  | PrivacyLogEvent
  | ProgrammeChanged
  | RewardEvent
  | SegmentEvent
  | SegmentGraphEvent
)[] = [
  {
    type: 'contacts.ContactRegistered.v1',
    data: {
      ...ofContact,
      source: 'app',
      profile: {
        firstName: 'Zoë',
        lastName: 'Ødegård',
        email: 'zoe@example.org',
        phone: '+43123456',
        birthday: '1990-02-28',
        gender: 'female',
        language: 'de',
        address: { street: 'Ring 1', postalCode: '1010', city: 'Wien', country: 'AT' },
        customFields: { size: 38, vip: true, likes: ['tea', 'cake'], motto: '🙂' },
        tags: ['early'],
      },
      emailClaim: 'claim-hash',
      claimId: 'claim-1',
    },
  },
  {
    type: 'contacts.ContactDetailsChanged.v1',
    data: {
      ...ofContact,
      changed: ['address.city', 'phone'],
      profile: { address: { city: 'Graz' }, phone: null },
      emailClaim: 'claim-hash-2',
      releasedEmailClaim: 'claim-hash',
      claimId: 'claim-2',
    },
  },
  { type: 'contacts.EmailClaimAbandoned.v1', data: { ...ofContact, claimId: 'claim-3' } },
  {
    type: 'contacts.RegistrationDirected.v1',
    data: { ...ofContact, registeredId: 'contact-2', attemptId: 'attempt-1' },
  },
  { type: 'contacts.RegistrationWithdrawn.v1', data: { ...ofContact, attemptId: 'attempt-1' } },
  { type: 'contacts.ConsentGranted.v1', data: { ...ofContact, ...consent } },
  { type: 'contacts.ConsentWithdrawn.v1', data: { ...ofContact, ...consent } },
  {
    type: 'contacts.DeviceRegistered.v1',
    data: {
      ...ofContact,
      deviceId: 'device-1',
      platform: 'ios',
      pushable: true,
      device: { model: 'Phone 9', osVersion: '19.1', appVersion: '2.3.4', pushToken: 'token' },
    },
  },
  { type: 'contacts.DeviceRemoved.v1', data: { ...ofContact, deviceId: 'device-1' } },
  {
    type: 'contacts.PointsCredited.v1',
    data: {
      ...ofContact,
      ...inPool,
      entryId: 'entry-1',
      reason: 'welcome',
      note: 'On the phone',
      expiresAt,
      automation,
    },
  },
  {
    type: 'contacts.PointsDebited.v1',
    data: { ...ofContact, ...inPool, entryId: 'entry-2', reason: 'correction', note: 'On the phone', lots },
  },
  { type: 'contacts.PointsExpired.v1', data: { ...ofContact, ...inPool, entryId: 'entry-3', lots } },
  {
    type: 'contacts.PointsReversed.v1',
    data: { ...ofContact, ...inPool, entryId: 'entry-4', reversedEntryId: 'entry-2', lots },
  },
  {
    type: 'contacts.SegmentAssigned.v1',
    data: { ...ofContact, segmentId, mode: 'exclude', reason: 'Asked on the phone', expiresAt },
  },
  { type: 'contacts.SegmentUnassigned.v1', data: { ...ofContact, segmentId } },
  {
    type: 'segments.SegmentDefined.v1',
    data: { ...ofSegment, ...segmentRule, name: 'German', description: 'Who reads German', version: 1 },
  },
  { type: 'segments.SegmentRenamed.v1', data: { ...ofSegment, name: 'Reads German' } },
  { type: 'segments.RuleChanged.v1', data: { ...ofSegment, ...segmentRule, version: 2 } },
  { type: 'segments.SegmentActivated.v1', data: ofSegment },
  { type: 'segments.SegmentDeactivated.v1', data: ofSegment },
  { type: 'segments.SegmentDeleted.v1', data: ofSegment },
  { type: 'segments.SegmentEntered.v1', data: ofStay },
  { type: 'segments.SegmentLeft.v1', data: ofStay },
  {
    type: 'automations.AutomationCreated.v1',
    data: { ...ofAutomation, terms: automationTerms, active: true },
  },
  {
    type: 'automations.AutomationChanged.v1',
    data: { ...ofAutomation, terms: { limitPerContact: null } },
  },
  { type: 'automations.AutomationActivated.v1', data: ofAutomation },
  { type: 'automations.AutomationDeactivated.v1', data: ofAutomation },
  { type: 'automations.AutomationDeleted.v1', data: ofAutomation },
  { type: 'automations.AnnouncementsHandled.v1', data: { revision: 7, occurredAt } },
  {
    type: 'segments.CutOffRecorded.v1',
    data: {
      ...ofSegment,
      version: 2,
      rule: {
        dsl: 1,
        tz: 'UTC',
        weekStart: 'MO',
        root: { ranked: { by: 'points.balance', pool: 'main', refresh: 'P1D', top: 100 } },
      },
      cutOff: 120,
      membersCount: 100,
      asOfPosition: '4711',
    },
  },
  {
    type: 'segments.SnapshotTaken.v1',
    data: { ...ofSegment, snapshotId: ofReward.rewardId, name: 'Spring mailing', asOf: occurredAt },
  },
  {
    type: 'segments.ReferencesAdmitted.v1',
    data: { ...ofSegment, admissionId: 'command-1', references: [ofReward.rewardId], activates: true },
  },
  {
    type: 'segments.ReferencesSettled.v1',
    data: {
      ...ofSegment,
      admissionId: 'command-1',
      references: [ofReward.rewardId],
      revision: 3,
      status: 'active',
    },
  },
  {
    type: 'contacts.CheckedIn.v1',
    data: { ...ofContact, ...inPool, checkInId: 'check-in-1', locationId: 'vienna-1', expiresAt },
  },
  {
    type: 'contacts.PurchaseRecorded.v1',
    data: {
      ...ofContact,
      ...inPool,
      purchaseId: 'purchase-1',
      invoiceNumber: 'R-2026-17',
      amount: { minor: 1999, currency: 'EUR' },
      locationId: 'vienna-1',
      items: [{ sku: 'tea', quantity: 2, amount: { minor: 999, currency: 'EUR' } }],
      expiresAt,
    },
  },
  {
    type: 'contacts.PurchaseReturned.v1',
    data: {
      ...ofContact,
      ...inPool,
      purchaseId: 'purchase-1',
      amount: { minor: 999, currency: 'EUR' },
      locationId: 'vienna-1',
      reason: 'damaged',
      lots,
    },
  },
  {
    type: 'contacts.RewardRedeemed.v1',
    data: { ...ofContact, ...inPool, redemptionId, rewardId, code: 'ABC123', redemptionType: 'code', lots },
  },
  {
    type: 'contacts.RedemptionCancelled.v1',
    data: { ...ofContact, ...inPool, redemptionId, rewardId, lots },
  },
  { type: 'contacts.RedemptionAbandoned.v1', data: { ...ofContact, redemptionId, rewardId } },
  {
    type: 'contacts.MessageSent.v1',
    data: {
      ...ofContact,
      messageId: 'message-1',
      channel: 'inbox',
      purpose: 'service',
      templateId: 'welcome',
      automation,
      content: { subject: 'Hello', body: 'Hello Zoë' },
    },
  },
  {
    type: 'contacts.ErasureRequested.v1',
    data: { ...ofErasure, legalGround: 'consentWithdrawn', executeAfter: expiresAt },
  },
  { type: 'contacts.ErasureCancelled.v1', data: ofErasure },
  { type: 'contacts.ErasureStarted.v1', data: { ...ofErasure, releasedEmailClaim: 'claim-hash-2' } },
  { type: 'contacts.PointsForfeited.v1', data: { ...ofErasure, ...inPool, entryId: 'entry-5' } },
  { type: 'contacts.ContactSuppressed.v1', data: { ...ofErasure, suppressionToken: 'token' } },
  {
    type: 'contacts.ContactErased.v1',
    data: {
      ...ofErasure,
      keyIds: ['pT1uNnmpDTI6aVQ1fbyt8EQ'],
      retainedUntil: '2034-01-01T00:00:00.000Z',
      held: [{ store: 'documents', records: 1 }],
    },
  },
  {
    type: 'contacts.ErasureCompleted.v1',
    data: {
      ...ofErasure,
      valuesErased: 7,
      valuesRetained: 1,
      stores: [{ store: 'documents', before: 1, after: 0, remains: 'oplog' }],
    },
  },
  {
    type: 'contacts.RetainedDataDestroyed.v1',
    data: { ...ofErasure, keyIds: ['rT1uNnmpDTI6aVQ1fbyt8EQ'] },
  },
  { type: 'contacts.ProcessingRestricted.v1', data: { ...ofContact, reason: 'accuracy-contested' } },
  { type: 'contacts.RestrictionLifted.v1', data: { ...ofContact, reason: 'corrected' } },
  { type: 'contacts.ProfilingObjected.v1', data: { ...ofContact, reason: 'asked' } },
  { type: 'contacts.ObjectionLifted.v1', data: { ...ofContact, reason: 'asked' } },
  {
    type: 'contacts.ProgrammeChanged.v1',
    data: {
      purchases: [{ currency: 'EUR', points: 1, perMinor: 100, pool: 'main', expiresAfter: 'P1Y' }],
      checkIn: { points: 5, cooldown: 'PT12H', pool: 'main', expiresAfter: 'P1Y' },
      occurredAt,
    },
  },
  {
    type: 'rewards.RewardCreated.v1',
    data: {
      ...ofReward,
      terms: {
        title: 'Coffee',
        description: 'Small',
        price: { pool: 'main', points: 30 },
        validFrom: occurredAt,
        validUntil: expiresAt,
        stock: 10,
        limitPerContact: 1,
        segmentId: null,
        redemptionType: 'inStore',
      },
    },
  },
  { type: 'rewards.RewardChanged.v1', data: { ...ofReward, terms: { title: 'Tea', stock: null } } },
  { type: 'rewards.RewardDeactivated.v1', data: ofReward },
  { type: 'rewards.RewardActivated.v1', data: ofReward },
  {
    type: 'rewards.StockReserved.v1',
    data: { ...ofRedemption, reservationId: 'reservation-1', deadline: '2026-02-03T04:06:06.789Z' },
  },
  { type: 'rewards.StockConfirmed.v1', data: { ...ofRedemption, reservationId: 'reservation-1' } },
  {
    type: 'rewards.StockReleased.v1',
    data: { ...ofRedemption, cause: 'cancelled', reservationIds: ['reservation-1'], confirmed: true },
  },
  {
    type: 'access.ApiKeyCreated.v1',
    data: { ...ofKey, name: 'till 1', role: 'operator', hash: 'hash-1', expiresAt },
  },
  { type: 'access.ApiKeyRotated.v1', data: { ...ofKey, hash: 'hash-2' } },
  { type: 'access.ApiKeyRevoked.v1', data: ofKey },
  {
    type: 'privacy.AccessRecorded.v1',
    data: {
      action: 'contact.list',
      command: 'CreditPoints',
      outcome: 'failed',
      subjects: [GOLDEN_CONTACT_ID],
      subjectCount: 120,
      subjectsHash: 'hash',
      shown: '1',
      fields: ['nickname'],
      query: 'fingerprint',
      rows: 120,
      network: '203.0.113.0/24',
    },
  },
  {
    type: 'privacy.AccessesRecorded.v1',
    data: {
      actors: [
        { id: 'key-1', role: 'operator', method: 'api-key' },
        { id: 'key-2', role: 'auditor', method: 'api-key' },
      ],
      accesses: [
        { correlationId: 'request-1', action: 'contact.view', subjects: [GOLDEN_CONTACT_ID], shown: '1' },
        {
          by: 1,
          correlationId: 'request-2',
          purpose: 'audit',
          onBehalfOf: 'jo',
          action: 'log.read',
          rows: 3,
        },
      ],
    },
  },
  {
    type: 'privacy.CheckpointSigned.v1',
    data: { size: 7, root: 'root', note: 'example.com/log\n7\nroot\n', keyNumber: 1, fence: 3 },
  },
  { type: 'privacy.SigningKeyRotated.v1', data: { keyNumber: 2, publicKey: 'key', occurredAt } },
];
