import { createHash } from 'node:crypto';

/** Bytes of a SHA-256 hash. */
export const HASH_BYTES = 32;

const LEAF_PREFIX = Buffer.of(0x00);
const NODE_PREFIX = Buffer.of(0x01);

/** Hash of an entry's bytes: SHA-256(0x00 || bytes) (RFC 6962 section 2.1, RFC 9162 section 2.1.1). */
export const leafHash = (bytes: Uint8Array): Buffer =>
  createHash('sha256').update(LEAF_PREFIX).update(bytes).digest();

/** Hash of two subtrees: SHA-256(0x01 || left || right). The prefix keeps a node from passing for an entry. */
export const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer =>
  createHash('sha256').update(NODE_PREFIX).update(left).update(right).digest();

/** Root of the tree without entries: SHA-256 of nothing. */
export const emptyRoot = (): Buffer => createHash('sha256').digest();
