import { addMillis } from '@app/kernel';
import {
  ContactGoneError,
  ContactNotFoundError,
  FutureFactError,
  ProcessingRestrictedError,
} from './contact.errors';
import type { ActiveContact, Contact } from './contact.state';

/** What every command on a contact carries. `now`: the instant of the command, as canonicalInstant writes it. */
export type OnContact = Readonly<{ contactId: string; now: string }>;
/** `occurredAt`: when it happened, if the caller says so. */
export type Dated = OnContact & Readonly<{ occurredAt?: string | undefined }>;

/** Clocks of tills and phones run ahead by a little; more is a mistake. */
const FUTURE_TOLERANCE_MS = 60_000;

/** Its erasure has begun, so that nothing will ever be decided for it again. */
export const isFenced = (contact: Contact): boolean =>
  contact.status === 'active' && contact.erasure !== null && contact.erasure.stage !== 'coolingOff';

/** For what may be done while processing is restricted. Throws ContactNotFoundError and ContactGoneError. */
export const living = (contact: Contact): ActiveContact => {
  if (contact.status === 'unknown') throw new ContactNotFoundError();
  if (isFenced(contact)) throw new ContactGoneError();
  return contact;
};

/** For all other commands. Throws ContactNotFoundError, ContactGoneError and ProcessingRestrictedError. */
export const registered = (contact: Contact): ActiveContact => {
  const active = living(contact);
  if (active.processingRestricted) throw new ProcessingRestrictedError();
  return active;
};

/** When the fact happened: now unless it is back-dated. Throws FutureFactError, blaming the field at `pointer`. */
export const momentOf = ({ occurredAt, now }: Dated, pointer = '/occurredAt'): string => {
  if (occurredAt !== undefined && occurredAt > addMillis(now, FUTURE_TOLERANCE_MS))
    throw new FutureFactError(pointer);
  return occurredAt ?? now;
};
