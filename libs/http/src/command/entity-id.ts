import { createHash, randomUUID } from 'node:crypto';
import type { CommandContext } from '@app/kernel';

/** 16 bytes as a UUID of version 8 (RFC 9562: bits of one's own making). */
export const uuidOf = (bytes: Buffer): string => {
  const own = Buffer.from(bytes.subarray(0, 16));
  own[6] = (own[6]! & 0x0f) | 0x80;
  own[8] = (own[8]! & 0x3f) | 0x80;
  const hex = own.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
};

/**
 * The id of what a command creates, where the client gave none: derived from the command's id when the command can come
 * again, so that a retry does not create a second one; random otherwise. `kind` tells apart several ids of one command.
 */
export const newEntityId = ({ commandId, repeatable }: CommandContext, kind: string): string =>
  repeatable ? uuidOf(createHash('sha256').update(`${kind}:${commandId}`).digest()) : randomUUID();
