import type { LotShare } from './contact.events';

/** Points moved by one command. */
export const POINTS_MAX = 1_000_000_000;
/** Points of one pool, so that sums over several events stay exact. */
export const BALANCE_MAX = 1_000_000_000_000_000;
/** Lots one command may touch: keeps an event well under the log's limit of 1 MiB. */
export const LOTS_TOUCHED_MAX = 3_000;
export const MAIN_POOL = 'main';

/** The points that one credit, check-in or purchase brought, as far as they are still there. */
export type Lot = {
  readonly entryId: string;
  readonly origin: 'credit' | 'check-in' | 'purchase';
  readonly pool: string;
  readonly points: number;
  readonly expiresAt: string | null;
  /** Order of opening, for lots that expire together. */
  readonly order: number;
  left: number;
  expired: number;
  /** Reversed (a credit) or returned (a purchase). */
  undone: boolean;
};

/** Points taken by a debit, for its reversal. */
export type Debit = {
  readonly pool: string;
  readonly points: number;
  readonly lots: readonly LotShare[];
  undone: boolean;
};

/** `open`: lots with something left, those that expire first in front. `balance` is the sum of what is left in them. */
export type Pool = { balance: number; readonly open: Lot[] };

export type Ledger = {
  readonly pools: Map<string, Pool>;
  /** Every lot ever opened, by the entry that opened it. */
  readonly lots: Map<string, Lot>;
  readonly debits: Map<string, Debit>;
};

export const emptyLedger = (): Ledger => ({ pools: new Map(), lots: new Map(), debits: new Map() });

const goesFirst = (a: Lot, b: Lot): boolean => {
  if (a.expiresAt === b.expiresAt) return a.order < b.order;
  if (a.expiresAt === null) return false;
  return b.expiresAt === null || a.expiresAt < b.expiresAt;
};

const insert = (open: Lot[], lot: Lot): void => {
  let [from, to] = [0, open.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (goesFirst(open[middle] as Lot, lot)) from = middle + 1;
    else to = middle;
  }
  open.splice(from, 0, lot);
};

const poolOf = (ledger: Ledger, name: string): Pool => {
  const known = ledger.pools.get(name);
  if (known) return known;
  const pool: Pool = { balance: 0, open: [] };
  ledger.pools.set(name, pool);
  return pool;
};

/** Folds points that came in. No points: no lot. */
export const openLot = (
  ledger: Ledger,
  opened: Readonly<Pick<Lot, 'entryId' | 'origin' | 'pool' | 'points'> & { expiresAt?: string }>,
): void => {
  const { entryId, origin, points, expiresAt = null } = opened;
  if (points <= 0 || ledger.lots.has(entryId)) return;
  const lot: Lot = {
    entryId,
    origin,
    pool: opened.pool,
    points,
    expiresAt,
    order: ledger.lots.size,
    left: points,
    expired: 0,
    undone: false,
  };
  const pool = poolOf(ledger, opened.pool);
  ledger.lots.set(entryId, lot);
  insert(pool.open, lot);
  pool.balance += points;
};

/** Folds points that went, never more than a lot has left. */
export const takeFromLots = (ledger: Ledger, shares: readonly LotShare[], as: 'spent' | 'expired'): void => {
  for (const share of shares) {
    const lot = ledger.lots.get(share.entryId);
    const taken = lot ? Math.min(lot.left, share.points) : 0;
    if (!lot || taken <= 0) continue;
    const pool = poolOf(ledger, lot.pool);
    lot.left -= taken;
    if (as === 'expired') lot.expired += taken;
    if (lot.left === 0) pool.open.splice(pool.open.indexOf(lot), 1);
    pool.balance -= taken;
  }
};

/** Folds points that came back to the lots they were taken from, never more than the lot once had. */
export const giveBackToLots = (ledger: Ledger, shares: readonly LotShare[]): void => {
  for (const share of shares) {
    const lot = ledger.lots.get(share.entryId);
    const given = lot ? Math.min(lot.points - lot.expired - lot.left, share.points) : 0;
    if (!lot || given <= 0) continue;
    const pool = poolOf(ledger, lot.pool);
    if (lot.left === 0) insert(pool.open, lot);
    lot.left += given;
    pool.balance += given;
  }
};

/** Folds that everything in a pool is gone, whatever lots it was in. */
export const emptyPool = (ledger: Ledger, name: string): void => {
  const pool = ledger.pools.get(name);
  if (!pool) return;
  for (const lot of pool.open) lot.left = 0;
  pool.open.length = 0;
  pool.balance = 0;
};
