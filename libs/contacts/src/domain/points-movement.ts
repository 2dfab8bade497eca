import type { LotShare, PointsExpired } from './contact.events';
import {
  BalanceLimitError,
  EarningLimitError,
  InsufficientPointsError,
  InvalidPointsError,
  TooManyLotsError,
} from './contact.errors';
import { BALANCE_MAX, LOTS_TOUCHED_MAX, POINTS_MAX, type Ledger, type Lot } from './points';

/** A pool as it stands once the lots that are due have expired. Changes nothing. */
export type StandingPool = Readonly<{
  name: string;
  /** Record these first, so that the balance of the command's own event is exact. */
  expiries: readonly PointsExpired[];
  balance: number;
  /** Lots that can be spent, those that expire first in front. */
  spendable: readonly Lot[];
  isDue: (lot: Lot) => boolean;
}>;

/**
 * Takes due lots out of the reckoning: one expiry for each instant at which some fell due, dated at that instant.
 * A lot expires once: what is given back to one that was due is lost (see `restorable`). `lotsMax`: further due lots are left for
 * the next time.
 */
export const expireDue = (
  { contactId, now }: Readonly<{ contactId: string; now: string }>,
  ledger: Ledger,
  name: string,
  lotsMax = LOTS_TOUCHED_MAX,
): StandingPool => {
  const { open = [], balance: before = 0 } = ledger.pools.get(name) ?? {};
  const isDue = ({ expiresAt }: Lot): boolean => expiresAt !== null && expiresAt <= now;
  const expiries: PointsExpired[] = [];
  let balance = before;
  let index = 0;
  while (index < Math.min(open.length, lotsMax) && isDue(open[index] as Lot)) {
    const { expiresAt, entryId } = open[index] as Lot;
    const lots: LotShare[] = [];
    let points = 0;
    for (; index < Math.min(open.length, lotsMax) && open[index]?.expiresAt === expiresAt; index += 1) {
      const lot = open[index] as Lot;
      lots.push({ entryId: lot.entryId, points: lot.left });
      points += lot.left;
    }
    balance -= points;
    expiries.push({
      type: 'contacts.PointsExpired.v1',
      data: {
        contactId,
        occurredAt: expiresAt as string,
        entryId: `expiry:${entryId}`,
        pool: name,
        points,
        balance,
        lots,
      },
    });
  }
  return { name, expiries, balance, spendable: open.slice(index), isDue };
};

/** For commands that must not go on with due lots left in the balance. */
export const standingPool = (
  command: Readonly<{ contactId: string; now: string }>,
  ledger: Ledger,
  name: string,
): StandingPool => {
  const pool = expireDue(command, ledger, name);
  if (pool.spendable[0] && pool.isDue(pool.spendable[0])) throw new TooManyLotsError();
  return pool;
};

/**
 * Shares of the lots that a debit consumes: `first` (if it is still spendable), then those that expire first, lots without
 * expiry last, ties in order of opening. Throws InsufficientPointsError.
 */
export const take = (pool: StandingPool, points: number, first?: Lot): readonly LotShare[] => {
  if (points > pool.balance) throw new InsufficientPointsError(pool.name, pool.balance, points);
  const own = first !== undefined && pool.spendable.includes(first) ? [first] : [];
  const shares: LotShare[] = [];
  let missing = points;
  for (const lot of own.length > 0
    ? [...own, ...pool.spendable.filter((other) => other !== first)]
    : pool.spendable) {
    if (missing === 0) break;
    if (shares.length === LOTS_TOUCHED_MAX) throw new TooManyLotsError();
    const taken = Math.min(lot.left, missing);
    shares.push({ entryId: lot.entryId, points: taken });
    missing -= taken;
  }
  return shares;
};

/** What of these shares can go back to their lots: lots that have expired since stay expired, as they would have anyway. */
export const restorable = (ledger: Ledger, shares: readonly LotShare[], now: string): readonly LotShare[] =>
  shares.filter(({ entryId }) => {
    const lot = ledger.lots.get(entryId);
    return lot !== undefined && lot.expired === 0 && (lot.expiresAt === null || lot.expiresAt > now);
  });

export const sum = (shares: readonly LotShare[]): number =>
  shares.reduce((total, { points }) => total + points, 0);

/** Balance after `points` came in; throws BalanceLimitError. */
export const add = (pool: StandingPool, points: number): number => {
  if (pool.balance + points > BALANCE_MAX) throw new BalanceLimitError(pool.name, pool.balance);
  return pool.balance + points;
};

export const checkPoints = (points: number, min: 0 | 1 = 1): void => {
  if (!Number.isInteger(points) || points < min || points > POINTS_MAX) throw new InvalidPointsError(min);
};

export const checkEarned = (points: number): number => {
  if (points > POINTS_MAX) throw new EarningLimitError();
  return points;
};

/** History that is loaded late may bring points that are due already: they come and go in one append. */
export const expireOnArrival = (
  { contactId, now }: Readonly<{ contactId: string; now: string }>,
  arrived: Readonly<{ entryId: string; pool: string; points: number; balance: number; expiresAt?: string }>,
): readonly PointsExpired[] => {
  const { entryId, pool, points, balance, expiresAt } = arrived;
  if (expiresAt === undefined || expiresAt > now || points === 0) return [];
  return [
    {
      type: 'contacts.PointsExpired.v1',
      data: {
        contactId,
        occurredAt: expiresAt,
        entryId: `expiry:${entryId}`,
        pool,
        points,
        balance: balance - points,
        lots: [{ entryId, points }],
      },
    },
  ];
};
