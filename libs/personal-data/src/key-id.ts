import type { SealPurpose } from '@app/kernel';
import type { KeyClass } from './key-ring.port';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const LETTERS: Readonly<Record<KeyClass, string>> = { personal: 'p', retained: 'r' };

/**
 * The id of a contact's key: a letter for the class and the contact's id in base64url (23 characters). There is one
 * key a class and a contact for all time, since a contact that comes back after an erasure gets a new id.
 */
export const keyIdOf = (contactId: string, keyClass: KeyClass): string => {
  if (!UUID.test(contactId)) throw new TypeError('A contact id must be a UUID in lower case.');
  return LETTERS[keyClass] + Buffer.from(contactId.replaceAll('-', ''), 'hex').toString('base64url');
};

/** Whether a record of the key ring is a contact's key. */
export const isKeyId = (name: string): boolean => /^[pr][A-Za-z0-9_-]{22}$/.test(name);

/** Books must be kept after an erasure; everything else goes with the person. */
export const keyClassOf = (purpose: SealPurpose): KeyClass =>
  purpose === 'accounting' ? 'retained' : 'personal';
