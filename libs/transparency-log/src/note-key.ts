import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { LogFormatError } from './log-format.error';

const ED25519 = 0x01;
const KEY_BYTES = 32;
/** PKCS #8 around an Ed25519 seed (RFC 8410, section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Signs notes. The private key stays inside. */
export interface NoteSigner {
  /** Of the key, and the origin of the log's checkpoints. */
  readonly name: string;
  /** 32 bytes (RFC 8032). */
  readonly publicKey: Buffer;
  /** Ed25519 signature, 64 bytes. */
  sign(bytes: Uint8Array): Buffer;
}

/** Signer from an Ed25519 seed of 32 bytes: the same seed is the same key. Throws LogFormatError on a wrong name or length. */
export const signerOf = (name: string, seed: Uint8Array): NoteSigner => {
  checkName(name);
  if (seed.length !== KEY_BYTES) throw new LogFormatError(`A seed of ${seed.length} bytes instead of 32.`);
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const publicKey = Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x!, 'base64url');
  return { name, publicKey, sign: (bytes) => sign(null, bytes, key) };
};

/** A key that verifies a log's notes. */
export class VerifierKey {
  /** The first four bytes of SHA-256(name, newline, type, public key): they say which key signed. */
  readonly id: Buffer;
  private key: KeyObject | undefined;

  constructor(
    readonly name: string,
    readonly publicKey: Buffer,
    /** Instant (RFC 3339) after which it signs no more; what it signed before stays good. */
    readonly validUntil?: string,
  ) {
    checkName(name);
    if (publicKey.length !== KEY_BYTES) throw new LogFormatError('A public key that is not of 32 bytes.');
    this.id = createHash('sha256')
      .update(`${name}\n`)
      .update(Buffer.of(ED25519))
      .update(publicKey)
      .digest()
      .subarray(0, 4);
  }

  verify(bytes: Uint8Array, signature: Uint8Array): boolean {
    this.key ??= createPublicKey({
      key: { kty: 'OKP', crv: 'Ed25519', x: this.publicKey.toString('base64url') },
      format: 'jwk',
    });
    return verify(null, bytes, this.key, signature);
  }

  /** `<name>+<id>+<base64 of type and key>`, as Go's sumdb/note writes and reads it. */
  toString(): string {
    const typed = Buffer.concat([Buffer.of(ED25519), this.publicKey]);
    return `${this.name}+${this.id.toString('hex')}+${typed.toString('base64')}`;
  }
}

export const verifierKeyText = (name: string, publicKey: Buffer): string =>
  new VerifierKey(name, publicKey).toString();

const KEY_TEXT = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/;

/** Reads a verifier key. Throws LogFormatError unless it is an Ed25519 key whose id is right. */
export const parseVerifierKey = (text: string, validUntil?: string): VerifierKey => {
  const [, name, id, base64] = KEY_TEXT.exec(text) ?? [];
  const typed = Buffer.from(base64 ?? '', 'base64');
  if (name === undefined || typed.toString('base64') !== base64) {
    throw new LogFormatError('Not a verifier key: expected <name>+<8 hex digits>+<base64>.');
  }
  if (typed[0] !== ED25519) throw new LogFormatError('Not an Ed25519 key.');
  const key = new VerifierKey(name, typed.subarray(1), validUntil);
  if (key.id.toString('hex') !== id) throw new LogFormatError('A verifier key whose id is not its own.');
  return key;
};

const KEY_LINE = /^(\S+)(?:\s+until\s+(\S+))?$/;
const KEYS_MAX = 1_000;

/**
 * Reads a file of verifier keys, one a line: `<key>` or `<key> until <RFC 3339 instant>` for a key that was replaced. Blank lines
 * and those that begin with # are passed over. There is no "from": a tree holds all that came before, so a key signs for it all.
 * Throws LogFormatError if a line is neither, or there is no key.
 */
export const parseKeyFile = (text: string): readonly VerifierKey[] => {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const keys = lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, key, until] = KEY_LINE.exec(line) ?? [];
      if (key === undefined || (until !== undefined && Number.isNaN(Date.parse(until)))) {
        throw new LogFormatError('Not a line of a key file: expected <key> or <key> until <instant>.');
      }
      return parseVerifierKey(key, until);
    });
  if (keys.length === 0 || keys.length > KEYS_MAX) {
    throw new LogFormatError(`${keys.length} keys in a key file; from 1 to ${KEYS_MAX} are read.`);
  }
  return keys;
};

/** A key's name stands in notes between blanks, and in key texts before a plus. */
export const isKeyName = (name: string): boolean =>
  name !== '' && !/[\s+\u0000-\u001f\u0085\p{Surrogate}]/u.test(name);

const checkName = (name: string): void => {
  if (!isKeyName(name)) throw new LogFormatError('A key name that is empty or has blanks or pluses in it.');
};
