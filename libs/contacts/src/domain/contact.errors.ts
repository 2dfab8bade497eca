import { DomainError } from '@app/kernel';
import type { Channel } from './contact.events';
import { BALANCE_MAX, LOTS_TOUCHED_MAX, POINTS_MAX } from './points';

export class ContactNotFoundError extends DomainError {
  readonly code = 'contacts.not-found';
  readonly kind = 'not-found';
  constructor() {
    super('There is no such contact.');
  }
}

export class AlreadyRegisteredError extends DomainError {
  readonly code = 'contacts.already-registered';
  readonly kind = 'conflict';
  override readonly pointer = '/contactId';
  constructor() {
    super('This contactId belongs to a contact that is already registered.');
  }
}

export class FutureFactError extends DomainError {
  readonly code = 'contacts.in-the-future';
  readonly kind = 'invalid';
  constructor(override readonly pointer: string) {
    super('A fact cannot have happened more than 60 seconds from now.');
  }
}

export class EmailTakenError extends DomainError {
  readonly code = 'contacts.email-taken';
  readonly kind = 'conflict';
  override readonly pointer = '/profile/email';
  constructor() {
    super('Another contact has this e-mail.');
  }
}

/** The claim was given up, or spent before: the e-mail has to be claimed anew. */
export class EmailClaimLostError extends DomainError {
  readonly code = 'contacts.email-claim-lost';
  readonly kind = 'conflict';
  override readonly pointer = '/profile/email';
  constructor() {
    super('The e-mail was claimed by several requests at once. Send the request again.');
  }
}

export class NothingToChangeError extends DomainError {
  readonly code = 'contacts.nothing-to-change';
  readonly kind = 'invalid';
  override readonly pointer = '/profile';
  constructor() {
    super('Name at least one field of the profile.');
  }
}

export const CUSTOM_FIELDS_MAX = 50;

export class TooManyCustomFieldsError extends DomainError {
  readonly code = 'contacts.too-many-custom-fields';
  readonly kind = 'invalid';
  override readonly pointer = '/profile/customFields';
  override readonly details = { max: CUSTOM_FIELDS_MAX };
  constructor() {
    super(`A contact has at most ${CUSTOM_FIELDS_MAX} custom fields. Remove some by setting them to null.`);
  }
}

export class InvalidPointsError extends DomainError {
  readonly code = 'contacts.invalid-points';
  readonly kind = 'invalid';
  override readonly pointer = '/points';
  override readonly details: Readonly<Record<string, number>>;
  constructor(min: number) {
    super(`Points are a whole number from ${min} to ${POINTS_MAX}.`);
    this.details = { min, max: POINTS_MAX };
  }
}

export class InvalidAmountError extends DomainError {
  readonly code = 'contacts.invalid-amount';
  readonly kind = 'invalid';
  override readonly pointer = '/amount/minor';
  override readonly details: Readonly<Record<string, number>>;
  constructor(max: number) {
    super(`An amount is a whole number of minor units from 0 to ${max}.`);
    this.details = { min: 0, max };
  }
}

export class InvalidExpiryError extends DomainError {
  readonly code = 'contacts.invalid-expiry';
  readonly kind = 'invalid';
  override readonly pointer = '/expiresAt';
  constructor() {
    super('Points expire after the time they were credited at.');
  }
}

export class InsufficientPointsError extends DomainError {
  readonly code = 'contacts.insufficient-points';
  readonly kind = 'conflict';
  override readonly details: Readonly<Record<string, string | number>>;
  constructor(pool: string, balance: number, points: number) {
    super(`The balance of ${balance} points does not cover ${points}.`);
    this.details = { pool, balance, points };
  }
}

export class BalanceLimitError extends DomainError {
  readonly code = 'contacts.balance-limit';
  readonly kind = 'conflict';
  override readonly details: Readonly<Record<string, string | number>>;
  constructor(pool: string, balance: number) {
    super(`A pool holds at most ${BALANCE_MAX} points.`);
    this.details = { pool, balance, max: BALANCE_MAX };
  }
}

export class TooManyLotsError extends DomainError {
  readonly code = 'contacts.too-many-lots';
  readonly kind = 'conflict';
  override readonly details = { max: LOTS_TOUCHED_MAX };
  constructor() {
    super(
      `This would touch more than ${LOTS_TOUCHED_MAX} credits at once. Take a smaller number of points, or try later.`,
    );
  }
}

export class EarningLimitError extends DomainError {
  readonly code = 'contacts.earning-limit';
  readonly kind = 'conflict';
  override readonly details = { max: POINTS_MAX };
  constructor() {
    super(`By the programme this would earn more than ${POINTS_MAX} points.`);
  }
}

export class EntryNotFoundError extends DomainError {
  readonly code = 'contacts.entry-not-found';
  readonly kind = 'not-found';
  constructor() {
    super('The contact has no such points entry.');
  }
}

export class NotReversibleError extends DomainError {
  readonly code = 'contacts.not-reversible';
  readonly kind = 'conflict';
  constructor() {
    super('Only credits and debits can be reversed: a purchase is returned, a redemption cancelled.');
  }
}

export class AlreadyReversedError extends DomainError {
  readonly code = 'contacts.already-reversed';
  readonly kind = 'conflict';
  constructor() {
    super('This entry is reversed already.');
  }
}

export class CheckInIdTakenError extends DomainError {
  readonly code = 'contacts.check-in-id-taken';
  readonly kind = 'conflict';
  override readonly pointer = '/checkInId';
  constructor() {
    super('This checkInId is the id of another entry of the contact.');
  }
}

export class PurchaseNotFoundError extends DomainError {
  readonly code = 'contacts.purchase-not-found';
  readonly kind = 'not-found';
  constructor() {
    super('The contact has no such purchase.');
  }
}

export class AlreadyReturnedError extends DomainError {
  readonly code = 'contacts.already-returned';
  readonly kind = 'conflict';
  constructor() {
    super('This purchase is returned already.');
  }
}

export class RedemptionNotFoundError extends DomainError {
  readonly code = 'contacts.redemption-not-found';
  readonly kind = 'not-found';
  constructor() {
    super('The contact has no such redemption.');
  }
}

export class RedemptionIdTakenError extends DomainError {
  readonly code = 'contacts.redemption-id-taken';
  readonly kind = 'conflict';
  override readonly pointer = '/redemptionId';
  constructor() {
    super('A redemption with this id was made, cancelled or given up before.');
  }
}

export class RedemptionLimitError extends DomainError {
  readonly code = 'contacts.redemption-limit';
  readonly kind = 'conflict';
  override readonly details: Readonly<Record<string, number>>;
  constructor(limit: number, redeemed: number) {
    super(`A contact can redeem this reward ${limit} times; this one has redeemed it ${redeemed} times.`);
    this.details = { limit, redeemed };
  }
}

export class AutomationLimitError extends DomainError {
  readonly code = 'contacts.automation-limit';
  readonly kind = 'conflict';
  override readonly details: Readonly<Record<string, number>>;
  constructor(limit: number) {
    super(`The automation acts ${limit} times for a contact, and has done so.`);
    this.details = { limit };
  }
}

export const AUTOMATIONS_IN_A_ROW_MAX = 5;

export class AutomationsInARowError extends DomainError {
  readonly code = 'contacts.automations-in-a-row';
  readonly kind = 'conflict';
  override readonly details = { inARowMax: AUTOMATIONS_IN_A_ROW_MAX };
  constructor() {
    super('Automations have set off one another too often in a row.');
  }
}

export const DEVICES_MAX = 50;

export class TooManyDevicesError extends DomainError {
  readonly code = 'contacts.too-many-devices';
  readonly kind = 'conflict';
  override readonly details = { max: DEVICES_MAX };
  constructor() {
    super(`A contact has at most ${DEVICES_MAX} devices. Remove one first.`);
  }
}

export class DeviceNotFoundError extends DomainError {
  readonly code = 'contacts.device-not-found';
  readonly kind = 'not-found';
  constructor() {
    super('The contact has no such device.');
  }
}

export const CONSENT_PURPOSES_MAX = 100;

export class TooManyPurposesError extends DomainError {
  readonly code = 'contacts.too-many-purposes';
  readonly kind = 'conflict';
  override readonly details = { max: CONSENT_PURPOSES_MAX };
  constructor() {
    super(`A contact's consents are kept for at most ${CONSENT_PURPOSES_MAX} purposes.`);
  }
}

export class NoConsentError extends DomainError {
  readonly code = 'contacts.no-consent';
  readonly kind = 'conflict';
  override readonly details: Readonly<Record<string, string>>;
  constructor(purpose: string, channel: Channel) {
    super('The contact has not consented to messages for this purpose on this channel.');
    this.details = { purpose, channel };
  }
}

const MISSING: Readonly<Record<Exclude<Channel, 'inbox'>, string>> = {
  email: 'an e-mail address',
  push: 'a device with a push token',
  sms: 'a phone number',
};

export class UnreachableError extends DomainError {
  readonly code = 'contacts.unreachable';
  readonly kind = 'conflict';
  override readonly details: Readonly<Record<string, string>>;
  constructor(channel: Exclude<Channel, 'inbox'>) {
    super(`The contact has not left ${MISSING[channel]}.`);
    this.details = { channel };
  }
}

/** The Idempotency-Key of this registration was used with another id of a contact. */
export class KeyUsedForAnotherError extends DomainError {
  readonly code = 'idempotency.payload-differs';
  readonly kind = 'invalid';
  constructor() {
    super('This idempotency key was used with another payload.');
  }
}

/** Its erasure has begun: nothing can be read of it or done with it any more. */
export class ContactGoneError extends DomainError {
  readonly code = 'contacts.erased';
  readonly kind = 'gone';
  constructor() {
    super('This contact was erased.');
  }
}

export class ProcessingRestrictedError extends DomainError {
  readonly code = 'contacts.processing-restricted';
  readonly kind = 'forbidden';
  constructor() {
    super(
      "The processing of this contact's data is restricted: they are kept and nothing else, until that is lifted.",
    );
  }
}

export class ErasurePendingError extends DomainError {
  readonly code = 'contacts.erasure-pending';
  readonly kind = 'conflict';
  override readonly details: Readonly<Record<string, string>>;
  constructor(executeAfter: string) {
    super('An erasure is cooling off already. Cancel it to ask for another.');
    this.details = { executeAfter };
  }
}

export class NoErasurePendingError extends DomainError {
  readonly code = 'contacts.no-erasure-pending';
  readonly kind = 'conflict';
  constructor() {
    super('There is no erasure that could be cancelled.');
  }
}

export class CoolingOffTooLongError extends DomainError {
  readonly code = 'contacts.cooling-off-too-long';
  readonly kind = 'invalid';
  override readonly pointer = '/coolingOff';
  override readonly details: Readonly<Record<string, string>>;
  constructor(max: string) {
    super('An erasure has to be carried out within a month.');
    this.details = { max };
  }
}

export class NotForAuditorsError extends DomainError {
  readonly code = 'contacts.not-for-auditors';
  readonly kind = 'forbidden';
  constructor() {
    super('Auditors see a contact only while the processing of its data is restricted.');
  }
}

export class OverlayExpiredError extends DomainError {
  readonly code = 'contacts.overlay-expired';
  readonly kind = 'invalid';
  override readonly pointer = '/expiresAt';
  constructor() {
    super('An assignment to a segment has to expire in the future.');
  }
}

export const OVERLAYS_MAX = 1_000;

export class TooManyOverlaysError extends DomainError {
  readonly code = 'contacts.too-many-overlays';
  readonly kind = 'conflict';
  override readonly details = { overlaysMax: OVERLAYS_MAX };
  constructor() {
    super(`A contact is assigned to at most ${OVERLAYS_MAX} segments by hand.`);
  }
}
