import type { Actor } from '@app/kernel';
import { ContactGoneError, NotForAuditorsError, ProcessingRestrictedError } from './domain/contact.errors';

export { ContactGoneError, ProcessingRestrictedError };

/** Who looks. */
export type Reader = Actor['role'];

/** What decides who may be shown a contact, by its stream or by a read model. */
export type Standing = Readonly<{ isErased: boolean; isRestricted: boolean }>;

/**
 * Whether a contact may be shown to somebody: nobody sees one whose erasure has begun, and only auditors and admins one whose
 * processing is restricted, which is all that auditors see. Throws ContactGoneError, ProcessingRestrictedError or
 * NotForAuditorsError.
 */
export const checkVisible = ({ isErased, isRestricted }: Standing, reader: Reader): void => {
  if (isErased) throw new ContactGoneError();
  if (reader === 'auditor' && !isRestricted) throw new NotForAuditorsError();
  if (isRestricted && reader !== 'auditor' && reader !== 'admin') throw new ProcessingRestrictedError();
};
