import type { RecordedEvent } from '@app/kernel';
import type {
  ConsentGranted,
  ConsentWithdrawn,
  ContactEvent,
  ContactRegistered,
  MessageSent,
  PointsCredited,
  Profile,
  RegistrationDirected,
  RegistrationWithdrawn,
} from './contact.events';
import {
  ALL_CHANNELS,
  activeContact,
  type ActiveContact,
  type Contact,
  type UnknownContact,
} from './contact.state';
import { emptyPool, giveBackToLots, openLot, takeFromLots } from './points';
import { optionalFields } from './optional-fields';

/** Folds in place. Total: what does not fit the state (which only a foreign writer can bring about) changes nothing. */
export const evolve = (contact: Contact, event: RecordedEvent<ContactEvent>): Contact => {
  switch (event.type) {
    case 'contacts.EmailClaimAbandoned.v1':
      contact.claims.set(event.data.claimId, 'abandoned');
      return contact;
    case 'contacts.RedemptionAbandoned.v1': {
      const { redemptionId, rewardId } = event.data;
      if (!contact.redemptions.has(redemptionId)) {
        contact.redemptions.set(redemptionId, {
          rewardId,
          pool: '',
          points: 0,
          lots: [],
          status: 'abandoned',
          givenBack: 0,
        });
      }
      return contact;
    }
    case 'contacts.RegistrationDirected.v1':
    case 'contacts.RegistrationWithdrawn.v1':
      if (contact.status === 'unknown') direct(contact, event);
      return contact;
    case 'contacts.ContactRegistered.v1':
      return contact.status === 'unknown' ? register(activeContact(contact), event.data) : contact;
    default:
      if (contact.status === 'active') evolveActive(contact, event);
      return contact;
  }
};

type LaterEvent = Exclude<
  ContactEvent,
  {
    type:
      | 'contacts.EmailClaimAbandoned.v1'
      | 'contacts.RedemptionAbandoned.v1'
      | 'contacts.RegistrationDirected.v1'
      | 'contacts.RegistrationWithdrawn.v1'
      | 'contacts.ContactRegistered.v1';
  }
>;

type ErasureEvent = Extract<
  ContactEvent,
  {
    type:
      | 'contacts.ErasureRequested.v1'
      | 'contacts.ErasureCancelled.v1'
      | 'contacts.ErasureStarted.v1'
      | 'contacts.ContactSuppressed.v1'
      | 'contacts.ContactErased.v1'
      | 'contacts.ErasureCompleted.v1'
      | 'contacts.RetainedDataDestroyed.v1';
  }
>;

const direct = (contact: UnknownContact, event: RegistrationDirected | RegistrationWithdrawn): void => {
  const { attemptId, occurredAt } = event.data;
  if (event.type === 'contacts.RegistrationWithdrawn.v1') {
    contact.directed?.attempts.delete(attemptId);
    if (contact.directed?.attempts.size === 0) contact.directed = null;
    return;
  }
  const { registeredId } = event.data;
  if (contact.directed === null || contact.directed.registeredId !== registeredId)
    contact.directed = { registeredId, attempts: new Set(), lastAt: occurredAt };
  contact.directed.attempts.add(attemptId);
  contact.directed.lastAt = occurredAt;
};

const evolveActive = (contact: ActiveContact, event: RecordedEvent<LaterEvent>): void => {
  const { ledger } = contact;
  switch (event.type) {
    case 'contacts.ContactDetailsChanged.v1': {
      const { profile, emailClaim, releasedEmailClaim, claimId } = event.data;
      if (releasedEmailClaim !== undefined) holdEmail(contact, null, undefined);
      if (claimId !== undefined) holdEmail(contact, emailClaim ?? null, claimId);
      if (profile)
        changeDetails(contact, profile as Readonly<{ [Field in keyof Profile]?: Profile[Field] | null }>);
      return;
    }
    case 'contacts.ConsentGranted.v1':
      return setConsent(contact, true, event);
    case 'contacts.ConsentWithdrawn.v1':
      return setConsent(contact, false, event);
    case 'contacts.DeviceRegistered.v1':
      contact.devices.set(event.data.deviceId, event.data.pushable);
      return;
    case 'contacts.DeviceRemoved.v1':
      contact.devices.delete(event.data.deviceId);
      return;
    case 'contacts.PointsCredited.v1':
      rememberAutomation(contact, event);
      return openLot(ledger, { ...event.data, origin: 'credit' });
    case 'contacts.PointsDebited.v1': {
      const { entryId, pool, points, lots } = event.data;
      takeFromLots(ledger, lots, 'spent');
      if (!ledger.debits.has(entryId)) ledger.debits.set(entryId, { pool, points, lots, undone: false });
      return;
    }
    case 'contacts.PointsExpired.v1':
      return takeFromLots(ledger, event.data.lots, 'expired');
    case 'contacts.PointsReversed.v1':
      return reverse(contact, event.data);
    case 'contacts.CheckedIn.v1': {
      const { checkInId, locationId = '', points, occurredAt } = event.data;
      openLot(ledger, { ...event.data, entryId: checkInId, origin: 'check-in' });
      if (points > 0) rememberEarning(contact, locationId, occurredAt);
      return;
    }
    case 'contacts.PurchaseRecorded.v1': {
      const { purchaseId, amount, locationId, pool } = event.data;
      openLot(ledger, { ...event.data, entryId: purchaseId, origin: 'purchase' });
      contact.purchases.set(purchaseId, { amount, pool, ...optionalFields({ locationId }), returned: false });
      rememberBooking(contact, event.data.occurredAt);
      return;
    }
    case 'contacts.PurchaseReturned.v1': {
      takeFromLots(ledger, event.data.lots, 'spent');
      const purchase = contact.purchases.get(event.data.purchaseId);
      const lot = ledger.lots.get(event.data.purchaseId);
      if (purchase) purchase.returned = true;
      rememberBooking(contact, event.data.occurredAt);
      if (lot) lot.undone = true;
      return;
    }
    case 'contacts.RewardRedeemed.v1': {
      const { redemptionId, rewardId, pool, points, lots } = event.data;
      takeFromLots(ledger, lots, 'spent');
      contact.redemptions.set(redemptionId, {
        rewardId,
        pool,
        points,
        lots,
        status: 'redeemed',
        givenBack: 0,
      });
      count(contact, rewardId, 1);
      return;
    }
    case 'contacts.RedemptionCancelled.v1': {
      const { redemptionId, rewardId, points, lots } = event.data;
      giveBackToLots(ledger, lots);
      const redemption = contact.redemptions.get(redemptionId);
      if (redemption?.status === 'redeemed') count(contact, rewardId, -1);
      if (redemption) {
        redemption.status = 'cancelled';
        redemption.givenBack = points;
      }
      return;
    }
    case 'contacts.MessageSent.v1':
      return rememberAutomation(contact, event);
    case 'contacts.ProcessingRestricted.v1':
      contact.processingRestricted = true;
      return;
    case 'contacts.RestrictionLifted.v1':
      contact.processingRestricted = false;
      return;
    case 'contacts.ProfilingObjected.v1':
      contact.profilingObjected = true;
      return;
    case 'contacts.ObjectionLifted.v1':
      contact.profilingObjected = false;
      return;
    case 'contacts.SegmentAssigned.v1': {
      const { segmentId, mode, reason, expiresAt = null } = event.data;
      contact.overlays.set(segmentId, { mode, expiresAt, hasReason: reason !== undefined });
      return;
    }
    case 'contacts.SegmentUnassigned.v1':
      contact.overlays.delete(event.data.segmentId);
      return;
    case 'contacts.PointsForfeited.v1':
      return emptyPool(ledger, event.data.pool);
    case 'contacts.ErasureRequested.v1':
    case 'contacts.ErasureCancelled.v1':
    case 'contacts.ErasureStarted.v1':
    case 'contacts.ContactSuppressed.v1':
    case 'contacts.ContactErased.v1':
    case 'contacts.ErasureCompleted.v1':
    case 'contacts.RetainedDataDestroyed.v1':
      return evolveErasure(contact, event);
    default:
      return nothingLeft(event);
  }
};

const evolveErasure = (contact: ActiveContact, event: ErasureEvent): void => {
  const { erasure } = contact;
  if (event.type === 'contacts.ErasureRequested.v1') {
    const { erasureId, legalGround, occurredAt, executeAfter } = event.data;
    if (erasure !== null) return;
    contact.erasure = {
      erasureId,
      legalGround,
      requestedAt: occurredAt,
      executeAfter,
      stage: 'coolingOff',
      releasedEmailClaim: null,
      suppressed: false,
      held: [],
      retainedUntil: null,
    };
    return;
  }
  if (erasure === null || erasure.erasureId !== event.data.erasureId) return;
  switch (event.type) {
    case 'contacts.ErasureCancelled.v1':
      if (erasure.stage === 'coolingOff') contact.erasure = null;
      return;
    case 'contacts.ErasureStarted.v1':
      erasure.stage = 'executing';
      erasure.releasedEmailClaim = event.data.releasedEmailClaim ?? null;
      holdEmail(contact, null, undefined);
      return;
    case 'contacts.ContactSuppressed.v1':
      erasure.suppressed = true;
      return;
    case 'contacts.ContactErased.v1':
      erasure.stage = 'erased';
      erasure.releasedEmailClaim = null;
      erasure.held = event.data.held ?? [];
      erasure.retainedUntil = event.data.retainedUntil ?? null;
      return;
    case 'contacts.ErasureCompleted.v1':
      erasure.stage = 'completed';
      return;
    case 'contacts.RetainedDataDestroyed.v1':
      erasure.retainedUntil = null;
      return;
  }
};

/** An event type without a case does not compile here. */
const nothingLeft = (_event: never): void => undefined;

const register = (contact: ActiveContact, data: ContactRegistered['data']): ActiveContact => {
  if (data.claimId !== undefined) holdEmail(contact, data.emailClaim ?? null, data.claimId);
  if (data.profile) changeDetails(contact, data.profile);
  return contact;
};

const holdEmail = (contact: ActiveContact, hash: string | null, claimId: string | undefined): void => {
  contact.emailClaim = hash;
  contact.claimId = claimId ?? null;
  if (claimId !== undefined) contact.claims.set(claimId, 'made-good');
};

const changeDetails = (
  contact: ActiveContact,
  { phone, customFields }: Readonly<{ [Field in keyof Profile]?: Profile[Field] | null }>,
): void => {
  if (phone !== undefined) contact.hasPhone = phone !== null;
  if (customFields === null) contact.customFieldNames.clear();
  for (const [name, value] of Object.entries(customFields ?? {})) {
    if (value === null) contact.customFieldNames.delete(name);
    else contact.customFieldNames.add(name);
  }
};

/** What is said for all channels replaces what was said for single ones before. */
const setConsent = (
  contact: ActiveContact,
  granted: boolean,
  event: ConsentGranted | ConsentWithdrawn,
): void => {
  const { purpose, channel = ALL_CHANNELS, wordingVersion, source } = event.data;
  const said = (channel !== ALL_CHANNELS && contact.consents.get(purpose)) || new Map();
  said.set(channel, { granted, source, ...optionalFields({ wordingVersion }) });
  contact.consents.set(purpose, said);
};

const reverse = (
  { ledger }: ActiveContact,
  { reversedEntryId, points, lots }: Extract<ContactEvent, { type: 'contacts.PointsReversed.v1' }>['data'],
): void => {
  const lot = ledger.lots.get(reversedEntryId);
  const debit = ledger.debits.get(reversedEntryId);
  if (lot) lot.undone = true;
  if (debit) debit.undone = true;
  if (points < 0) takeFromLots(ledger, lots, 'spent');
  else giveBackToLots(ledger, lots);
};

const rememberAutomation = (
  { automations, automatedEvents }: ActiveContact,
  { data: { automation }, meta }: RecordedEvent<PointsCredited | MessageSent>,
): void => {
  if (automation === undefined) return;
  const { automationId, announcementId, action, inARow } = automation;
  const acted = automations.get(automationId) ?? new Map<string, Set<number>>();
  acted.set(announcementId, (acted.get(announcementId) ?? new Set()).add(action));
  automations.set(automationId, acted);
  automatedEvents.set(meta.eventId, inARow);
};

const rememberBooking = (contact: ActiveContact, occurredAt: string): void => {
  if (contact.lastBookedAt === null || contact.lastBookedAt < occurredAt) contact.lastBookedAt = occurredAt;
};

const rememberEarning = (contact: ActiveContact, locationId: string, occurredAt: string): void => {
  const times = contact.earningCheckIns.get(locationId) ?? [];
  const after = times.findLastIndex((time) => time <= occurredAt);
  times.splice(after + 1, 0, occurredAt);
  contact.earningCheckIns.set(locationId, times);
};

const count = (contact: ActiveContact, rewardId: string, by: 1 | -1): void => {
  contact.redemptionCounts.set(rewardId, Math.max(0, (contact.redemptionCounts.get(rewardId) ?? 0) + by));
};
