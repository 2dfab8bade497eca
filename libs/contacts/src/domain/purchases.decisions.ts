import { addDuration, type Decision } from '@app/kernel';
import { AlreadyReturnedError, InvalidAmountError, PurchaseNotFoundError } from './contact.errors';
import type { ContactEvent, Money, PurchaseItem } from './contact.events';
import type { Contact } from './contact.state';
import { momentOf, registered, type Dated } from './decision-basics';
import { optionalFields } from './optional-fields';
import { MAIN_POOL } from './points';
import { add, checkEarned, expireOnArrival, standingPool, sum, take } from './points-movement';
import type { PurchaseEarning } from './programme.events';

export const AMOUNT_MINOR_MAX = 1_000_000_000_000;

export type RecordPurchase = Dated &
  Readonly<{
    type: 'RecordPurchase';
    purchaseId: string;
    invoiceNumber: string;
    amount: Money;
    locationId?: string | undefined;
    items?: readonly PurchaseItem[] | undefined;
    /** The programme as it stands; at most one rule a currency. */
    earning: readonly PurchaseEarning[];
  }>;
export type ReturnPurchase = Dated &
  Readonly<{ type: 'ReturnPurchase'; purchaseId: string; reason?: string | undefined }>;

export const decidePurchase = (
  command: RecordPurchase,
  contact: Contact,
): Decision<ContactEvent, { purchaseId: string; pointsEarned: number; pool: string; balance: number }> => {
  const { ledger } = registered(contact);
  const { contactId, purchaseId, invoiceNumber, amount, locationId, items, earning } = command;
  const occurredAt = momentOf(command);
  if (!Number.isInteger(amount.minor) || amount.minor < 0 || amount.minor > AMOUNT_MINOR_MAX) {
    throw new InvalidAmountError(AMOUNT_MINOR_MAX);
  }
  const rule = earning.find(({ currency }) => currency === amount.currency);
  const points = rule ? checkEarned(Math.floor(amount.minor / rule.perMinor) * rule.points) : 0;
  const pool = standingPool(command, ledger, rule?.pool ?? MAIN_POOL);
  const balance = add(pool, points);
  const expiresAt = points > 0 && rule?.expiresAfter ? addDuration(occurredAt, rule.expiresAfter) : undefined;
  const movement = { pool: pool.name, points, balance, ...optionalFields({ expiresAt }) };
  const gone = expireOnArrival(command, { entryId: purchaseId, ...movement });
  return {
    events: [
      ...pool.expiries,
      {
        type: 'contacts.PurchaseRecorded.v1',
        data: {
          contactId,
          occurredAt,
          purchaseId,
          invoiceNumber,
          amount,
          ...movement,
          ...optionalFields({ locationId, items }),
        },
      },
      ...gone,
    ],
    answer: {
      purchaseId,
      pointsEarned: points,
      pool: pool.name,
      balance: gone.length > 0 ? pool.balance : balance,
    },
  };
};

/**
 * Once. Takes back the points that the purchase earned, except those that have expired, as far as the balance covers
 * them: goods that come back are taken back, also from somebody who has spent the points.
 */
export const decideReturn = (
  command: ReturnPurchase,
  contact: Contact,
): Decision<ContactEvent, { purchaseId: string; pointsTakenBack: number; pool: string; balance: number }> => {
  const { ledger, purchases } = registered(contact);
  const { contactId, purchaseId, reason } = command;
  const occurredAt = momentOf(command);
  const purchase = purchases.get(purchaseId);
  if (!purchase) throw new PurchaseNotFoundError();
  if (purchase.returned) throw new AlreadyReturnedError();
  const pool = standingPool(command, ledger, purchase.pool);
  const lot = ledger.lots.get(purchaseId);
  const earned = lot ? lot.points - lot.expired - (pool.isDue(lot) ? lot.left : 0) : 0;
  const lots = take(pool, Math.min(pool.balance, earned), lot);
  const points = sum(lots);
  const balance = pool.balance - points;
  const { amount, locationId } = purchase;
  return {
    events: [
      ...pool.expiries,
      {
        type: 'contacts.PurchaseReturned.v1',
        data: {
          contactId,
          occurredAt,
          purchaseId,
          amount,
          pool: pool.name,
          points,
          balance,
          lots,
          ...optionalFields({ locationId, reason }),
        },
      },
    ],
    answer: { purchaseId, pointsTakenBack: points, pool: pool.name, balance },
  };
};
