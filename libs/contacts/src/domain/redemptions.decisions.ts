import type { Decision } from '@app/kernel';
import { RedemptionIdTakenError, RedemptionLimitError, RedemptionNotFoundError } from './contact.errors';
import type { ContactEvent, RedemptionType } from './contact.events';
import type { Contact } from './contact.state';
import { isFenced, registered, type OnContact } from './decision-basics';
import { add, checkPoints, restorable, standingPool, sum, take } from './points-movement';

/** The contact's side of a redemption. Validity, stock and segment are the reward's, and checked before. */
export type RedeemReward = OnContact &
  Readonly<{
    type: 'RedeemReward';
    redemptionId: string;
    rewardId: string;
    code: string;
    redemptionType: RedemptionType;
    pool: string;
    /** 0: the reward is free. */
    points: number;
    /** Null: without limit. */
    limitPerContact: number | null;
  }>;
export type CancelRedemption = OnContact & Readonly<{ type: 'CancelRedemption'; redemptionId: string }>;
/** A recovery's question: did this redemption come to be? If not, it never will. */
export type AbandonRedemption = OnContact &
  Readonly<{ type: 'AbandonRedemption'; redemptionId: string; rewardId: string }>;

export type RedemptionAnswer = Readonly<{
  redemptionId: string;
  rewardId: string;
  code: string;
  pool: string;
  points: number;
  balance: number;
}>;
/** `pointsGivenBack` may be less than was paid: see `decideCancelRedemption`. */
export type CancellationAnswer = Readonly<{
  redemptionId: string;
  rewardId: string;
  pool: string;
  pointsGivenBack: number;
  balance: number;
}>;
export type AbandonmentAnswer = Readonly<{ verdict: 'redeemed' | 'cancelled' | 'abandoned' }>;

export const decideRedeem = (
  command: RedeemReward,
  contact: Contact,
): Decision<ContactEvent, RedemptionAnswer> => {
  const { ledger, redemptions, redemptionCounts } = registered(contact);
  const { contactId, now, redemptionId, rewardId, code, redemptionType, points, limitPerContact } = command;
  if (redemptions.has(redemptionId)) throw new RedemptionIdTakenError();
  const redeemed = redemptionCounts.get(rewardId) ?? 0;
  if (limitPerContact !== null && redeemed >= limitPerContact) {
    throw new RedemptionLimitError(limitPerContact, redeemed);
  }
  checkPoints(points, 0);
  const pool = standingPool(command, ledger, command.pool);
  const lots = take(pool, points);
  const balance = pool.balance - points;
  return {
    events: [
      ...pool.expiries,
      {
        type: 'contacts.RewardRedeemed.v1',
        data: {
          contactId,
          occurredAt: now,
          redemptionId,
          rewardId,
          code,
          redemptionType,
          pool: pool.name,
          points,
          balance,
          lots,
        },
      },
    ],
    answer: { redemptionId, rewardId, code, pool: pool.name, points, balance },
  };
};

/**
 * Gives the points back to the lots they came from; those of lots that have expired since are lost, as they would have been.
 * Cancelling again changes nothing and answers the same, so that whoever gives the stock back can go on after a crash.
 */
export const decideCancelRedemption = (
  command: CancelRedemption,
  contact: Contact,
): Decision<ContactEvent, CancellationAnswer> => {
  const { ledger, redemptions } = registered(contact);
  const { contactId, now, redemptionId } = command;
  const redemption = redemptions.get(redemptionId);
  if (!redemption || redemption.status === 'abandoned') throw new RedemptionNotFoundError();
  const { rewardId } = redemption;
  if (redemption.status === 'cancelled') {
    const balance = ledger.pools.get(redemption.pool)?.balance ?? 0;
    const { pool, givenBack: pointsGivenBack } = redemption;
    return { events: [], answer: { redemptionId, rewardId, pool, pointsGivenBack, balance } };
  }
  const pool = standingPool(command, ledger, redemption.pool);
  const lots = restorable(ledger, redemption.lots, now);
  const points = sum(lots);
  const balance = add(pool, points);
  return {
    events: [
      ...pool.expiries,
      {
        type: 'contacts.RedemptionCancelled.v1',
        data: { contactId, occurredAt: now, redemptionId, rewardId, pool: pool.name, points, balance, lots },
      },
    ],
    answer: { redemptionId, rewardId, pool: pool.name, pointsGivenBack: points, balance },
  };
};

/** Given on unknown contacts too: stock may have been set aside for one that never was. */
export const decideAbandonRedemption = (
  { contactId, now, redemptionId, rewardId }: AbandonRedemption,
  contact: Contact,
): Decision<ContactEvent, AbandonmentAnswer> => {
  const known = contact.redemptions.get(redemptionId);
  if (known) return { events: [], answer: { verdict: known.status } };
  // Behind the fence nothing is ever redeemed: that is a verdict, too.
  if (isFenced(contact)) return { events: [], answer: { verdict: 'abandoned' } };
  return {
    events: [
      {
        type: 'contacts.RedemptionAbandoned.v1',
        data: { contactId, occurredAt: now, redemptionId, rewardId },
      },
    ],
    answer: { verdict: 'abandoned' },
  };
};
