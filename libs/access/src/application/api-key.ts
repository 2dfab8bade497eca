import { createHash, randomBytes } from 'node:crypto';

/** A new key: 256 random bits, so that its plain SHA-256 can be stored without a slow hash. */
export const newApiKey = (): string => `reg_${randomBytes(32).toString('base64url')}`;

/** What the log keeps of a key: SHA-256, base64url. */
export const hashOfKey = (key: string): string => createHash('sha256').update(key).digest('base64url');
