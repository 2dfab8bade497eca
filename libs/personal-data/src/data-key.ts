import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { SealPurpose } from '@app/kernel';

/** One of a contact's data keys; values are sealed under a sub-key for the field's purpose. */
export class DataKey {
  private readonly subKeys = new Map<SealPurpose, KeyObject>();
  /** Hidden from whatever prints or serialises the object. */
  readonly #bytes: Buffer;

  constructor(
    readonly id: string,
    bytes: Buffer,
  ) {
    this.#bytes = bytes;
  }

  subKey(purpose: SealPurpose): KeyObject {
    let key = this.subKeys.get(purpose);
    if (key === undefined) {
      key = createSecretKey(expand(this.#bytes, `regulars:seal:${purpose}`));
      this.subKeys.set(purpose, key);
    }
    return key;
  }
}

/**
 * HKDF-Expand with SHA-256 to one block of 32 bytes (RFC 5869, section 2.3). The extract step is left out, as section
 * 3.3 allows, since the input is 32 random bytes.
 */
export const expand = (key: Buffer, info: string): Buffer =>
  createHmac('sha256', key).update(info, 'utf8').update('\x01').digest();
