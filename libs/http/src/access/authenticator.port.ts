import type { Actor } from '@app/kernel';

/** Tells who stands behind an API key. */
export abstract class Authenticator {
  /** Null for a key that is unknown, revoked or expired. Synchronous where the answer is at hand. */
  abstract authenticate(key: string): Actor | null | Promise<Actor | null>;
}
