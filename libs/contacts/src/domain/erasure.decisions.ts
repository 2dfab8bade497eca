import { addDuration, type Decision } from '@app/kernel';
import {
  CoolingOffTooLongError,
  ContactNotFoundError,
  ErasurePendingError,
  NoErasurePendingError,
} from './contact.errors';
import type { ContactEvent, ErasureStarted, LegalGround, StoreCount, StorePurge } from './contact.events';
import type { ActiveContact, Contact, Erasure } from './contact.state';
import { living, type OnContact } from './decision-basics';
import { optionalFields } from './optional-fields';
import { LOTS_TOUCHED_MAX } from './points';
import { expireDue } from './points-movement';

/** Article 12 (3) of the GDPR leaves a month to answer. */
export const COOLING_OFF_MAX = 'P1M';
/** Books and vouchers are kept for seven years from the end of the calendar year (Austria: section 132 BAO). */
const RETENTION_YEARS = 7;
/** Pools emptied by one command: keeps the append well under the log's limit of 1 MiB. */
const POOLS_AT_ONCE_MAX = 200;

/** `coolingOff`: ISO 8601; it is carried out at once where that is nothing. */
export type EraseContact = OnContact &
  Readonly<{ type: 'EraseContact'; erasureId: string; legalGround: LegalGround; coolingOff: string }>;
export type CancelErasure = OnContact & Readonly<{ type: 'CancelErasure' }>;

/** The steps of the process, in their order; each does nothing where it, or a later one, was done before. */
export type StartErasure = OnContact & Readonly<{ type: 'StartErasure' }>;
export type ForfeitPoints = OnContact & Readonly<{ type: 'ForfeitPoints' }>;
export type SuppressContact = OnContact &
  Readonly<{ type: 'SuppressContact'; suppressionTokens: readonly string[] }>;
export type RecordErased = OnContact &
  Readonly<{
    type: 'RecordErased';
    keyIds: readonly string[];
    retainedUntil: string | null;
    held: readonly StoreCount[];
  }>;
export type CompleteErasure = OnContact &
  Readonly<{
    type: 'CompleteErasure';
    valuesErased: number;
    valuesRetained: number;
    stores: readonly StorePurge[];
  }>;
export type RecordRetainedDestroyed = OnContact &
  Readonly<{ type: 'RecordRetainedDestroyed'; keyIds: readonly string[] }>;

export type ErasureAnswer = Readonly<{
  contactId: string;
  erasureId: string;
  state: 'coolingOff' | 'executing' | 'cancelled';
  legalGround: LegalGround;
  requestedAt: string;
  executeAfter: string;
}>;
/** `more`: there is something left for the same command again. */
export type StepAnswer = Readonly<{ more: boolean }>;

const DONE: Decision<ContactEvent, StepAnswer> = { events: [], answer: { more: false } };

export const decideErasure = (
  command: EraseContact,
  contact: Contact,
): Decision<ContactEvent, ErasureAnswer> => {
  const { contactId, now, erasureId, legalGround, coolingOff } = command;
  const active = living(contact);
  if (active.erasure !== null) throw new ErasurePendingError(active.erasure.executeAfter);
  const executeAfter = addDuration(now, coolingOff);
  if (executeAfter > addDuration(now, COOLING_OFF_MAX)) throw new CoolingOffTooLongError(COOLING_OFF_MAX);
  const atOnce = executeAfter <= now;
  return {
    events: [
      {
        type: 'contacts.ErasureRequested.v1',
        data: { contactId, occurredAt: now, erasureId, legalGround, executeAfter },
      },
      ...(atOnce ? [started(command, erasureId, active)] : []),
    ],
    answer: {
      contactId,
      erasureId,
      state: atOnce ? 'executing' : 'coolingOff',
      legalGround,
      requestedAt: now,
      executeAfter,
    },
  };
};

/** Possible until it is carried out, also when its time has come. */
export const decideCancelErasure = (
  { contactId, now }: CancelErasure,
  contact: Contact,
): Decision<ContactEvent, ErasureAnswer> => {
  const { erasure } = living(contact);
  if (erasure === null) throw new NoErasurePendingError();
  const { erasureId, legalGround, requestedAt, executeAfter } = erasure;
  return {
    events: [{ type: 'contacts.ErasureCancelled.v1', data: { contactId, occurredAt: now, erasureId } }],
    answer: { contactId, erasureId, state: 'cancelled', legalGround, requestedAt, executeAfter },
  };
};

/** Puts up the fence and lets the e-mail go, once the cooling-off is over. */
export const decideStartErasure = (
  command: StartErasure,
  contact: Contact,
): Decision<ContactEvent, StepAnswer> => {
  const { active, erasure } = underErasure(contact);
  if (erasure === null || erasure.stage !== 'coolingOff' || erasure.executeAfter > command.now) return DONE;
  return step([started(command, erasure.erasureId, active)]);
};

/** Takes every point left out of the ledger: what is due expires, the rest is forfeited. */
export const decideForfeit = (
  command: ForfeitPoints,
  contact: Contact,
): Decision<ContactEvent, StepAnswer> => {
  const { active, erasure } = underErasure(contact);
  if (erasure?.stage !== 'executing') return DONE;
  const { contactId, now } = command;
  const { erasureId } = erasure;
  const full = [...active.ledger.pools].filter(([, { balance }]) => balance > 0).map(([name]) => name);
  let lotsMax = LOTS_TOUCHED_MAX;
  const events = full.slice(0, POOLS_AT_ONCE_MAX).flatMap((name): ContactEvent[] => {
    const { expiries, balance } = expireDue(command, active.ledger, name, lotsMax);
    lotsMax -= expiries.reduce((lots, { data }) => lots + data.lots.length, 0);
    if (balance === 0) return [...expiries];
    const entryId = `forfeit:${erasureId}:${name}`;
    return [
      ...expiries,
      {
        type: 'contacts.PointsForfeited.v1',
        data: { contactId, occurredAt: now, erasureId, entryId, pool: name, points: balance, balance: 0 },
      },
    ];
  });
  return { events, answer: { more: full.length > POOLS_AT_ONCE_MAX } };
};

export const decideSuppress = (
  { contactId, now, suppressionTokens }: SuppressContact,
  contact: Contact,
): Decision<ContactEvent, StepAnswer> => {
  const { erasure } = underErasure(contact);
  if (erasure?.stage !== 'executing' || erasure.suppressed) return DONE;
  const { erasureId } = erasure;
  return step(
    suppressionTokens.map((suppressionToken) => ({
      type: 'contacts.ContactSuppressed.v1',
      data: { contactId, occurredAt: now, erasureId, suppressionToken },
    })),
  );
};

/** Says that the keys are destroyed: to be run only once they are. */
export const decideErased = (
  { contactId, now, keyIds, retainedUntil, held }: RecordErased,
  contact: Contact,
): Decision<ContactEvent, StepAnswer> => {
  const { erasure } = underErasure(contact);
  if (erasure?.stage !== 'executing') return DONE;
  return step([
    {
      type: 'contacts.ContactErased.v1',
      data: {
        contactId,
        occurredAt: now,
        erasureId: erasure.erasureId,
        keyIds,
        ...optionalFields({ retainedUntil: retainedUntil ?? undefined }),
        held,
      },
    },
  ]);
};

export const decideComplete = (
  { contactId, now, valuesErased, valuesRetained, stores }: CompleteErasure,
  contact: Contact,
): Decision<ContactEvent, StepAnswer> => {
  const { erasure } = underErasure(contact);
  if (erasure?.stage !== 'erased') return DONE;
  const { erasureId } = erasure;
  return step([
    {
      type: 'contacts.ErasureCompleted.v1',
      data: { contactId, occurredAt: now, erasureId, valuesErased, valuesRetained, stores },
    },
  ]);
};

/** Says that the key of what was retained is destroyed, too; nothing before its time. */
export const decideRetainedDestroyed = (
  { contactId, now, keyIds }: RecordRetainedDestroyed,
  contact: Contact,
): Decision<ContactEvent, StepAnswer> => {
  const { erasure } = underErasure(contact);
  if (erasure?.stage !== 'completed' || erasure.retainedUntil === null || erasure.retainedUntil > now)
    return DONE;
  const { erasureId } = erasure;
  return step([
    { type: 'contacts.RetainedDataDestroyed.v1', data: { contactId, occurredAt: now, erasureId, keyIds } },
  ]);
};

/** Until when what is in the books is kept; null: there is nothing, or its time is up. */
export const retainedUntil = ({ lastBookedAt }: ActiveContact, now: string): string | null => {
  if (lastBookedAt === null) return null;
  const year = Number(lastBookedAt.slice(0, 4)) + RETENTION_YEARS + 1;
  const end = `${String(year).padStart(4, '0')}-01-01T00:00:00.000Z`;
  return end > now ? end : null;
};

const started = (
  { contactId, now }: OnContact,
  erasureId: string,
  { emailClaim }: ActiveContact,
): ErasureStarted => ({
  type: 'contacts.ErasureStarted.v1',
  data: {
    contactId,
    occurredAt: now,
    erasureId,
    ...optionalFields({ releasedEmailClaim: emailClaim ?? undefined }),
  },
});

const step = (events: readonly ContactEvent[]): Decision<ContactEvent, StepAnswer> => ({
  events,
  answer: { more: false },
});

const underErasure = (contact: Contact): { active: ActiveContact; erasure: Erasure | null } => {
  if (contact.status === 'unknown') throw new ContactNotFoundError();
  return { active: contact, erasure: contact.erasure };
};
