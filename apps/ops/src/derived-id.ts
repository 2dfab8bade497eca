import { createHash } from 'node:crypto';

/**
 * A UUID that follows from a name within a namespace: always the same (RFC 9562, version 8, from SHA-256). Whoever knows
 * both can compute it, so the namespace should be kept to oneself where names are other systems' customer numbers.
 */
export const derivedId = (namespace: string, name: string): string => {
  const bytes = createHash('sha256')
    .update(`${namespace.length}:${namespace}:${name}`)
    .digest()
    .subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
};
