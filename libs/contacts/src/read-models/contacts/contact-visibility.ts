import type { StoreFilter } from '@app/rules';
import { checkVisible, type Reader } from '../../visibility';
import type { ContactDocument } from './contact.document';

/** Throws what checkVisible throws. */
export const checkShown = (
  { erasure, processingRestricted }: Pick<ContactDocument, 'erasure' | 'processingRestricted'>,
  reader: Reader,
): void =>
  checkVisible({ isErased: erasure !== undefined, isRestricted: processingRestricted === true }, reader);

/** The same on documents in the store, for lists. */
export const visibleTo = (reader: Reader): StoreFilter => ({
  erasure: null,
  ...(reader !== 'admin' && { processingRestricted: null }),
});
