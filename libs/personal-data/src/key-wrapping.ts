import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';

const NONCE_SIZE = 12;
const TAG_SIZE = 16;
export const KEY_SIZE = 32;
export const WRAPPED_SIZE = NONCE_SIZE + KEY_SIZE + TAG_SIZE;

/** AES-256-GCM under the key-encryption key, bound to the name the key is stored under: nonce, ciphertext, tag. */
export const wrap = (keyEncryptionKey: KeyObject, name: string, key: Buffer): Buffer => {
  const nonce = randomBytes(NONCE_SIZE);
  const cipher = createCipheriv('aes-256-gcm', keyEncryptionKey, nonce).setAAD(Buffer.from(name));
  return Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
};

/** Throws where the wrapped key was made under another key-encryption key or another name, or was changed. */
export const unwrap = (keyEncryptionKey: KeyObject, name: string, wrapped: Buffer): Buffer => {
  if (wrapped.length !== WRAPPED_SIZE) throw new TypeError('A wrapped key has another length.');
  const end = wrapped.length - TAG_SIZE;
  const decipher = createDecipheriv('aes-256-gcm', keyEncryptionKey, wrapped.subarray(0, NONCE_SIZE))
    .setAAD(Buffer.from(name))
    .setAuthTag(wrapped.subarray(end));
  return Buffer.concat([decipher.update(wrapped.subarray(NONCE_SIZE, end)), decipher.final()]);
};
