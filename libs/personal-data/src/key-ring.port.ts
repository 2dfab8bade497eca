import type { DataKey } from './data-key';

/**
 * Which of a contact's two keys seals a value: `personal` goes with an erasure, `retained` holds what the law makes
 * one keep and goes when its time is up.
 */
export type KeyClass = 'personal' | 'retained';

/** What is known of a key. Missing, destroyed and unavailable (thrown) are three different things. */
export type KeyLookup =
  | Readonly<{ kind: 'active'; key: DataKey }>
  | Readonly<{ kind: 'missing' }>
  /** `at`: when it was destroyed, ISO 8601 UTC. */
  | Readonly<{ kind: 'destroyed'; at: string }>;

/** `at`: when it was destroyed, ISO 8601 UTC. */
export type DestroyedKey = Readonly<{ keyId: string; at: string }>;

/** The data keys of all contacts. A record goes from active to destroyed and stays destroyed. */
export abstract class KeyRing {
  /**
   * The key to seal a contact's values with, created if there never was one; durable before this resolves, and the
   * same for all processes. Throws KeyDestroyedError once it was destroyed.
   */
  abstract keyForSealing(contactId: string, keyClass: KeyClass): Promise<DataKey>;

  /** The key a sealed value names. Throws KeyRingUnavailableError on an outage. */
  abstract keyForOpening(keyId: string): Promise<KeyLookup>;

  /** The same where the answer is at hand without waiting; undefined where only `keyForOpening` can tell. */
  abstract keyAtHand(keyId: string): KeyLookup | undefined;

  /**
   * Destroys one key of a contact, durably, whether it existed or not: it cannot be created afterwards. Doing it again
   * changes nothing and tells the first time. Other processes stop opening within a second and sealing within 10 ms.
   */
  abstract destroy(contactId: string, keyClass: KeyClass): Promise<DestroyedKey>;
}
