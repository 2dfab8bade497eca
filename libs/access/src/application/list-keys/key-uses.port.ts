/** Tells when keys were used. */
export abstract class KeyUses {
  /** ISO 8601 UTC, some seconds late; null: never. Requests that neither showed nor tried anything do not count. */
  abstract lastUsedAt(keyId: string): Promise<string | null>;
}
