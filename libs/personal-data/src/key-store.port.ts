/** A key as it is stored: under version `kek` of the key-encryption key. */
export type WrappedKey = Readonly<{ kek: number; wrapped: Buffer }>;

/** What is stored under a name. `at`: when it was destroyed, epoch milliseconds. */
export type KeyRecord =
  Readonly<{ kind: 'active' } & WrappedKey> | Readonly<{ kind: 'destroyed'; at: number }>;

/** An entry of the list of destroyed keys; `seq` counts 1, 2, 3 … over the life of the key ring. */
export type Tombstone = Readonly<{ seq: number; name: string; at: number }>;

export type Rewrapping = Readonly<{ name: string; from: WrappedKey; to: WrappedKey }>;

/**
 * Where a key ring keeps its records. Knows nothing of what they mean: all keys in it are wrapped. Whatever is written
 * is durable, and seen by every read of any process, before its promise resolves. Throws KeyRingUnavailableError.
 */
export abstract class KeyStore {
  /** For how long a process may go on after another one destroyed a key without noticing. */
  abstract readonly unnoticedMs: Readonly<{ sealing: number; opening: number }>;

  /** Null: nothing was ever stored under this name. */
  abstract read(name: string): Promise<KeyRecord | null>;
  /** The same without waiting; undefined where only `read` can tell. */
  abstract readAtHand(name: string): KeyRecord | null | undefined;

  /** Stores a key under a name that has none, and tells what is stored there then. */
  abstract create(name: string, key: WrappedKey): Promise<KeyRecord>;

  /** Replaces each key that is still as it was given in `from`; nothing is left of it in what the store writes to. */
  abstract rewrap(changes: readonly Rewrapping[]): Promise<void>;

  /**
   * Puts a tombstone in a key's place, or where none ever was, for all time; the key's bytes are overwritten. Done
   * again, it makes sure of the latter. Tells when it was done first.
   */
  abstract destroy(name: string, at: number): Promise<number>;

  /** Records in the order of their names, behind `after`. */
  abstract page(after: string | null, limit: number): Promise<readonly (readonly [string, KeyRecord])[]>;

  /** The list of destroyed keys from an entry on, in order. */
  abstract tombstones(fromSeq: number, limit: number): Promise<readonly Tombstone[]>;
  /** The same without waiting; undefined where only `tombstones` can tell. */
  abstract tombstonesAtHand(fromSeq: number, limit: number): readonly Tombstone[] | undefined;
  /** `seq` of the newest one, 0 where there is none. */
  abstract newestTombstone(): Promise<number>;

  abstract note(name: string): Promise<string | null>;
  /** Replaces a note that is still as it was given in `from` (null: absent); false where it is another one. */
  abstract replaceNote(name: string, from: string | null, to: string): Promise<boolean>;

  abstract close(): Promise<void>;
}
