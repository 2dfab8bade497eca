import type { Actor } from '@app/kernel';
import type { StoreFilter } from '@app/rules';
import {
  ContactGoneError,
  NotForAuditorsError,
  ProcessingRestrictedError,
} from '../../domain/contact.errors';
import type { ContactDocument } from './contact.document';

/** Who looks. */
export type Reader = Actor['role'];

type Standing = Pick<ContactDocument, 'erasure' | 'processingRestricted'>;

/**
 * Whether a contact may be shown to somebody: nobody sees one whose erasure has begun, and only auditors and admins one whose
 * processing is restricted, which is all that auditors see. Throws ContactGoneError, ProcessingRestrictedError or
 * NotForAuditorsError.
 */
export const checkVisible = ({ erasure, processingRestricted }: Standing, reader: Reader): void => {
  if (erasure !== undefined) throw new ContactGoneError();
  const restricted = processingRestricted === true;
  if (reader === 'auditor' && !restricted) throw new NotForAuditorsError();
  if (restricted && reader !== 'auditor' && reader !== 'admin') throw new ProcessingRestrictedError();
};

/** The same on documents in the store, for lists. */
export const visibleTo = (reader: Reader): StoreFilter => ({
  erasure: null,
  ...(reader !== 'admin' && { processingRestricted: null }),
});
