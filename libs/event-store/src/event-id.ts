import { hash } from 'node:crypto';
import type { CommandContext, DomainEvent } from '@app/kernel';
import type { CommandRecord } from './event-store.port';

/**
 * Ids of the events of one append, UUIDs of version 8 (RFC 9562): the same append again has the same ids, so that the
 * event store recognises it. They cover what is written, too (open fields, answer, and the payload by its MAC). With
 * ids of command, stream and index alone, two processes that decide one command differently (another instant, another
 * generated id) would both be told that their events were written, and one would go on with facts that never were.
 * They cover the instant of the command, so that a command that its client sends again conflicts and is recognised as
 * a repetition, where otherwise it would pass for a first success.
 * `openFields`: the events' data without personal values, which must not show in an id, even hashed.
 */
export const eventIdsOf = (
  { commandId, now }: Pick<CommandContext, 'commandId' | 'now'>,
  stream: string,
  openFields: readonly DomainEvent['data'][],
  record: CommandRecord | undefined,
): readonly string[] => {
  const written = JSON.stringify([commandId, now, stream, openFields, record?.mac, record?.answer]);
  const digest = hash('sha256', written, 'hex');
  return openFields.map((_, index) =>
    uuidOf(index === 0 ? digest : hash('sha256', `${digest} ${index}`, 'hex')),
  );
};

/** A UUID of version 8 that follows from a name: always the same. The name must hold nothing personal. */
export const derivedUuid = (name: string): string => uuidOf(hash('sha256', name, 'hex'));

const uuidOf = (hex: string): string => {
  const variant = '89ab'[parseInt(hex.charAt(16), 16) % 4] as string;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};
