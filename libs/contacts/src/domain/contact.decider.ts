import type { Decider, Decision } from '@app/kernel';
import { decideCheckIn, type CheckIn } from './check-ins.decisions';
import { decideSetConsent, type SetConsent } from './consents.decisions';
import type { ContactEvent } from './contact.events';
import { evolve } from './contact.evolve';
import { unknownContact, type Contact } from './contact.state';
import { isFenced } from './decision-basics';
import {
  decideRegisterDevice,
  decideRemoveDevice,
  type RegisterDevice,
  type RemoveDevice,
} from './devices.decisions';
import { decideAbandonEmailClaim, type AbandonEmailClaim } from './email-claims.decisions';
import {
  decideCancelErasure,
  decideComplete,
  decideErased,
  decideErasure,
  decideForfeit,
  decideRetainedDestroyed,
  decideStartErasure,
  decideSuppress,
  type CancelErasure,
  type CompleteErasure,
  type EraseContact,
  type ForfeitPoints,
  type RecordErased,
  type RecordRetainedDestroyed,
  type StartErasure,
  type SuppressContact,
} from './erasure.decisions';
import {
  decideAssignSegment,
  decideUnassignSegment,
  type AssignSegment,
  type UnassignSegment,
} from './segments.decisions';
import { decideSendMessage, type SendMessage } from './messages.decisions';
import {
  decideCredit,
  decideDebit,
  decideExpiry,
  decideReversal,
  type CreditPoints,
  type DebitPoints,
  type ExpirePoints,
  type ReversePoints,
} from './points.decisions';
import { decideChangeDetails, type ChangeContactDetails } from './profile.decisions';
import {
  decidePurchase,
  decideReturn,
  type RecordPurchase,
  type ReturnPurchase,
} from './purchases.decisions';
import {
  decideAbandonRedemption,
  decideCancelRedemption,
  decideRedeem,
  type AbandonRedemption,
  type CancelRedemption,
  type RedeemReward,
} from './redemptions.decisions';
import {
  decideDirection,
  decideRegistration,
  decideWithdrawal,
  type DirectRegistration,
  type RegisterContact,
  type WithdrawRegistration,
} from './registration.decisions';
import {
  decideObjection,
  decideRestriction,
  type ObjectToProfiling,
  type RestrictProcessing,
} from './subject-rights.decisions';

export type ContactCommand =
  | RegisterContact
  | DirectRegistration
  | WithdrawRegistration
  | ChangeContactDetails
  | AbandonEmailClaim
  | SetConsent
  | RegisterDevice
  | RemoveDevice
  | CreditPoints
  | DebitPoints
  | ReversePoints
  | ExpirePoints
  | RecordPurchase
  | ReturnPurchase
  | CheckIn
  | RedeemReward
  | CancelRedemption
  | AbandonRedemption
  | SendMessage
  | RestrictProcessing
  | ObjectToProfiling
  | AssignSegment
  | UnassignSegment
  | EraseContact
  | CancelErasure
  | StartErasure
  | ForfeitPoints
  | SuppressContact
  | RecordErased
  | CompleteErasure
  | RecordRetainedDestroyed;

const decide = (command: ContactCommand, contact: Contact): Decision<ContactEvent, object> => {
  switch (command.type) {
    case 'RegisterContact':
      return decideRegistration(command, contact);
    case 'DirectRegistration':
      return decideDirection(command, contact);
    case 'WithdrawRegistration':
      return decideWithdrawal(command, contact);
    case 'ChangeContactDetails':
      return decideChangeDetails(command, contact);
    case 'AbandonEmailClaim':
      return decideAbandonEmailClaim(command, contact);
    case 'SetConsent':
      return decideSetConsent(command, contact);
    case 'RegisterDevice':
      return decideRegisterDevice(command, contact);
    case 'RemoveDevice':
      return decideRemoveDevice(command, contact);
    case 'CreditPoints':
      return decideCredit(command, contact);
    case 'DebitPoints':
      return decideDebit(command, contact);
    case 'ReversePoints':
      return decideReversal(command, contact);
    case 'ExpirePoints':
      return decideExpiry(command, contact);
    case 'RecordPurchase':
      return decidePurchase(command, contact);
    case 'ReturnPurchase':
      return decideReturn(command, contact);
    case 'CheckIn':
      return decideCheckIn(command, contact);
    case 'RedeemReward':
      return decideRedeem(command, contact);
    case 'CancelRedemption':
      return decideCancelRedemption(command, contact);
    case 'AbandonRedemption':
      return decideAbandonRedemption(command, contact);
    case 'SendMessage':
      return decideSendMessage(command, contact);
    case 'RestrictProcessing':
      return decideRestriction(command, contact);
    case 'ObjectToProfiling':
      return decideObjection(command, contact);
    case 'AssignSegment':
      return decideAssignSegment(command, contact);
    case 'UnassignSegment':
      return decideUnassignSegment(command, contact);
    case 'EraseContact':
      return decideErasure(command, contact);
    case 'CancelErasure':
      return decideCancelErasure(command, contact);
    case 'StartErasure':
      return decideStartErasure(command, contact);
    case 'ForfeitPoints':
      return decideForfeit(command, contact);
    case 'SuppressContact':
      return decideSuppress(command, contact);
    case 'RecordErased':
      return decideErased(command, contact);
    case 'CompleteErasure':
      return decideComplete(command, contact);
    case 'RecordRetainedDestroyed':
      return decideRetainedDestroyed(command, contact);
  }
};

/** Everything that can be decided about one contact, on its own stream. */
export const contactDecider: Decider<Contact, ContactCommand, ContactEvent> = {
  name: 'contact',
  initialState: unknownContact,
  decide,
  evolve,
  isClosed: isFenced,
  // Whoever asked for the erasure and lost the answer gets it again: it holds nothing personal.
  outlivesClosing: ({ type }) => type === 'EraseContact',
  naturalKey: {
    ofCommand: (command) => {
      switch (command.type) {
        case 'RecordPurchase':
          return `invoice:${command.invoiceNumber}`;
        case 'CheckIn':
          return `check-in:${command.checkInId}`;
        case 'RedeemReward':
          return `redemption:${command.redemptionId}`;
        default:
          return undefined;
      }
    },
    ofEvent: (event) => {
      switch (event.type) {
        case 'contacts.PurchaseRecorded.v1':
          // Once the key is destroyed nobody can tell.
          return event.data.invoiceNumber === null ? undefined : `invoice:${event.data.invoiceNumber}`;
        case 'contacts.CheckedIn.v1':
          return `check-in:${event.data.checkInId}`;
        case 'contacts.RewardRedeemed.v1':
          return `redemption:${event.data.redemptionId}`;
        default:
          return undefined;
      }
    },
  },
};
