import type { LotShare } from '../../domain/contact.events';
import type { Lot } from './contact.document';

/** Whoever decides goes by another clock than the log that dates the event. */
const CLOCKS_APART_MAX_MS = 86_400_000;

/** What a credit or an earning leaves: a lot, if it expires. */
export const openLot = (
  lots: readonly Lot[],
  { entryId, pool, points, expiresAt }: Omit<Lot, 'expiresAt'> & { expiresAt?: string | undefined },
): readonly Lot[] =>
  points > 0 && expiresAt !== undefined ? [...lots, { entryId, pool, points, expiresAt }] : lots;

/**
 * Takes points from lots (`direction` -1) or gives them back (1). Shares of lots that do not expire are not looked for. An
 * emptied lot is kept until it has expired, since a cancellation can fill it again until then; `now` is when it was written.
 */
export const moveLots = (
  lots: readonly Lot[],
  shares: readonly LotShare[],
  direction: 1 | -1,
  now: string,
): readonly Lot[] => {
  if (lots.length === 0) return lots;
  const moved = new Map(shares.map(({ entryId, points }) => [entryId, points * direction]));
  const expired = new Date(Date.parse(now) - CLOCKS_APART_MAX_MS).toISOString();
  return lots
    .map((lot) => {
      const points = moved.get(lot.entryId);
      return points === undefined ? lot : { ...lot, points: lot.points + points };
    })
    .filter(({ points, expiresAt }) => points > 0 || expiresAt > expired);
};

export const nextExpiryOf = (lots: readonly Lot[]): string | null => {
  let next: string | null = null;
  for (const { points, expiresAt } of lots) {
    if (points > 0 && (next === null || expiresAt < next)) next = expiresAt;
  }
  return next;
};
