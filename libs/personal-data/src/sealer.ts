import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto';
import type { SealPurpose } from '@app/kernel';
import { keyClassOf } from './key-id';
import { MissingKeyError, SealBrokenError } from './key-ring.errors';
import { KeyRing, type KeyLookup } from './key-ring.port';

/** Where a sealed value belongs: it opens nowhere else. */
export type SealPlace = Readonly<{
  eventId: string;
  /** Path of the field in the event's data. */
  field: string;
}>;

const VERSION = '1';
const NONCE_SIZE = 12;
const TAG_SIZE = 16;
const LETTER_OF: Readonly<Record<SealPurpose, string>> = {
  profile: 'p',
  contact: 'c',
  device: 'd',
  freetext: 'f',
  accounting: 'a',
};
const PURPOSE_OF = new Map(
  Object.entries(LETTER_OF).map(([purpose, letter]) => [letter, purpose as SealPurpose]),
);
/** Version, purpose and key id (23 characters), each ended by a dot; base64url of nonce, ciphertext and tag follows. */
const KEY_ID_START = 4;
const BODY_START = 28;

/**
 * Seals single field values with AES-256-GCM under a key of the contact. A sealed value is one string that says how to
 * open it: `1.<purpose letter>.<key id>.<base64url of nonce, ciphertext, tag>`. The nonce is random; the associated
 * data is event id, field path and key id, so that a value cannot be moved to another event, field or contact.
 */
export class Sealer {
  constructor(private readonly keyRing: KeyRing) {}

  /** `value` is what JSON can hold. Throws KeyDestroyedError and KeyRingUnavailableError. */
  async seal(value: unknown, contactId: string, purpose: SealPurpose, place: SealPlace): Promise<string> {
    const key = await this.keyRing.keyForSealing(contactId, keyClassOf(purpose));
    const sealed = nextNonce();
    const cipher = createCipheriv('aes-256-gcm', key.subKey(purpose), sealed);
    cipher.setAAD(associatedData(place, key.id));
    const text = cipher.update(JSON.stringify(value), 'utf8');
    cipher.final();
    const body = Buffer.concat([sealed, text, cipher.getAuthTag()]);
    return `${VERSION}.${LETTER_OF[purpose]}.${key.id}.${body.toString('base64url')}`;
  }

  /**
   * The value, or null where its key was destroyed. Throws MissingKeyError, KeyRingUnavailableError, and
   * SealBrokenError where the value was changed or moved.
   */
  async open(sealed: string, place: SealPlace): Promise<unknown> {
    const keyId = keyIdIn(sealed, place);
    return openWith(await this.keyRing.keyForOpening(keyId), keyId, sealed, place);
  }

  /** As `open`, without waiting; undefined where the key is not at hand. A batch opens thousands of fields so. */
  openAtHand(sealed: string, place: SealPlace): unknown {
    const keyId = keyIdIn(sealed, place);
    const lookup = this.keyRing.keyAtHand(keyId);
    return lookup === undefined ? undefined : openWith(lookup, keyId, sealed, place);
  }
}

const associatedData = ({ eventId, field }: SealPlace, keyId: string): Buffer =>
  Buffer.from(`${eventId}\n${field}\n${keyId}`, 'utf8');

const keyIdIn = (sealed: string, { field }: SealPlace): string => {
  const wellFormed =
    sealed.startsWith(`${VERSION}.`) && sealed[KEY_ID_START - 1] === '.' && sealed[BODY_START - 1] === '.';
  if (!wellFormed) throw new SealBrokenError(field);
  return sealed.slice(KEY_ID_START, BODY_START - 1);
};

const openWith = (lookup: KeyLookup, keyId: string, sealed: string, place: SealPlace): unknown => {
  if (lookup.kind === 'destroyed') return null;
  if (lookup.kind === 'missing') throw new MissingKeyError(keyId);
  const purpose = PURPOSE_OF.get(sealed[KEY_ID_START - 2] as string);
  if (purpose === undefined) throw new SealBrokenError(place.field);
  try {
    const body = Buffer.from(sealed.slice(BODY_START), 'base64url');
    const end = body.length - TAG_SIZE;
    const decipher = createDecipheriv(
      'aes-256-gcm',
      lookup.key.subKey(purpose),
      body.subarray(0, NONCE_SIZE),
    );
    decipher.setAAD(associatedData(place, keyId));
    decipher.setAuthTag(body.subarray(end));
    const text = decipher.update(body.subarray(NONCE_SIZE, end));
    decipher.final();
    return JSON.parse(text.toString('utf8'));
  } catch (error) {
    throw new SealBrokenError(place.field, error);
  }
};

const noncePool = Buffer.alloc(NONCE_SIZE * 256);
let noncePoolUsed = noncePool.length;

/** Fresh random bytes; drawn for 256 nonces at once, since a draw costs as much as sealing a value. */
const nextNonce = (): Buffer => {
  if (noncePoolUsed === noncePool.length) {
    randomFillSync(noncePool);
    noncePoolUsed = 0;
  }
  noncePoolUsed += NONCE_SIZE;
  return noncePool.subarray(noncePoolUsed - NONCE_SIZE, noncePoolUsed);
};
