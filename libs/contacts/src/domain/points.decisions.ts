import type { Decision } from '@app/kernel';
import { automatedBy, isDone, type AutomationRun } from './automations.decisions';
import {
  AlreadyReversedError,
  ContactNotFoundError,
  EntryNotFoundError,
  InvalidExpiryError,
  NotReversibleError,
} from './contact.errors';
import type { ContactEvent, PointsReversed } from './contact.events';
import type { Contact } from './contact.state';
import { isFenced, momentOf, registered, type Dated, type OnContact } from './decision-basics';
import { optionalFields } from './optional-fields';
import { LOTS_TOUCHED_MAX } from './points';
import {
  add,
  checkPoints,
  expireDue,
  expireOnArrival,
  restorable,
  standingPool,
  sum,
  take,
} from './points-movement';

type Movement = Dated &
  Readonly<{ entryId: string; pool: string; points: number; reason: string; note?: string | undefined }>;

export type CreditPoints = Movement &
  Readonly<{ type: 'CreditPoints'; expiresAt?: string | undefined; automation?: AutomationRun | undefined }>;
export type DebitPoints = Movement & Readonly<{ type: 'DebitPoints' }>;
export type ReversePoints = OnContact &
  Readonly<{ type: 'ReversePoints'; entryId: string; reversedEntryId: string }>;
export type ExpirePoints = OnContact & Readonly<{ type: 'ExpirePoints' }>;

/** `balance`: of the pool, after the command. */
export type PointsAnswer = Readonly<{ entryId: string; pool: string; points: number; balance: number }>;

export const decideCredit = (
  command: CreditPoints,
  contact: Contact,
): Decision<ContactEvent, PointsAnswer> => {
  const active = registered(contact);
  const { ledger } = active;
  const { contactId, entryId, pool: name, points, reason, note, expiresAt, automation: run } = command;
  if (run !== undefined && isDone(run, active)) {
    return {
      events: [],
      answer: { entryId, pool: name, points, balance: ledger.pools.get(name)?.balance ?? 0 },
    };
  }
  const automation = run && automatedBy(run, active);
  const occurredAt = momentOf(command);
  checkPoints(points);
  if (expiresAt !== undefined && expiresAt <= occurredAt) throw new InvalidExpiryError();
  const pool = standingPool(command, ledger, name);
  const balance = add(pool, points);
  const arrived = { entryId, pool: name, points, balance, ...optionalFields({ expiresAt }) };
  const gone = expireOnArrival(command, arrived);
  return {
    events: [
      ...pool.expiries,
      {
        type: 'contacts.PointsCredited.v1',
        data: { contactId, occurredAt, ...arrived, reason, ...optionalFields({ note, automation }) },
      },
      ...gone,
    ],
    answer: { entryId, pool: name, points, balance: gone.length > 0 ? pool.balance : balance },
  };
};

export const decideDebit = (command: DebitPoints, contact: Contact): Decision<ContactEvent, PointsAnswer> => {
  const { ledger } = registered(contact);
  const { contactId, entryId, pool: name, points, reason, note } = command;
  const occurredAt = momentOf(command);
  checkPoints(points);
  const pool = standingPool(command, ledger, name);
  const lots = take(pool, points);
  const balance = pool.balance - points;
  return {
    events: [
      ...pool.expiries,
      {
        type: 'contacts.PointsDebited.v1',
        data: {
          contactId,
          occurredAt,
          entryId,
          pool: name,
          points,
          balance,
          reason,
          lots,
          ...optionalFields({ note }),
        },
      },
    ],
    answer: { entryId, pool: name, points, balance },
  };
};

/**
 * Makes it as though the entry had never been, once.
 *
 * A credit: takes its points back, except those that have expired (they are gone already), from its own lot first, then as a debit
 * would; refused where the balance no longer covers them, since a balance never goes below zero.
 * A debit: gives its points back to the lots they came from, with the expiry these had; points of lots that have expired
 * since are not given back, since without the debit they would have expired too.
 */
export const decideReversal = (
  command: ReversePoints,
  contact: Contact,
): Decision<ContactEvent, PointsAnswer & { reversedEntryId: string }> => {
  const { ledger } = registered(contact);
  const { contactId, now, entryId, reversedEntryId } = command;
  const lot = ledger.lots.get(reversedEntryId);
  const debit = ledger.debits.get(reversedEntryId);
  const entry = lot ?? debit;
  if (!entry) throw new EntryNotFoundError();
  if (lot && lot.origin !== 'credit') throw new NotReversibleError();
  if (entry.undone) throw new AlreadyReversedError();
  const pool = standingPool(command, ledger, entry.pool);
  const goneOf = lot ? lot.expired + (pool.isDue(lot) ? lot.left : 0) : 0;
  const lots = lot ? take(pool, lot.points - goneOf, lot) : restorable(ledger, debit?.lots ?? [], now);
  const points = lot ? 0 - sum(lots) : sum(lots);
  const balance = points > 0 ? add(pool, points) : pool.balance + points;
  const reversed: PointsReversed = {
    type: 'contacts.PointsReversed.v1',
    data: { contactId, occurredAt: now, entryId, reversedEntryId, pool: pool.name, points, balance, lots },
  };
  return {
    events: [...pool.expiries, reversed],
    answer: { entryId, reversedEntryId, pool: pool.name, points, balance },
  };
};

/** Expires what is due in every pool; nothing due is no event. At most 3,000 lots at a time: the rest stays due. */
export const decideExpiry = (
  command: ExpirePoints,
  contact: Contact,
): Decision<ContactEvent, { expired: number }> => {
  if (contact.status === 'unknown') throw new ContactNotFoundError();
  // Not refused, since the system asks by itself: what is restricted stays as it is, and an erasure forfeits it.
  if (contact.processingRestricted || isFenced(contact)) return { events: [], answer: { expired: 0 } };
  const { ledger } = contact;
  let lotsMax = LOTS_TOUCHED_MAX;
  const events = [...ledger.pools.keys()].flatMap((name) => {
    const { expiries } = expireDue(command, ledger, name, lotsMax);
    lotsMax -= expiries.reduce((lots, { data }) => lots + data.lots.length, 0);
    return expiries;
  });
  return { events, answer: { expired: events.reduce((total, { data }) => total + data.points, 0) } };
};
