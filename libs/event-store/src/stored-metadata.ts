import type { Actor, CommandContext, CommandName, EventMeta } from '@app/kernel';

/** Metadata as stored: short keys, since every event carries them; what is usual is left out. */
export type StoredMetadata = Readonly<{
  /** Command id. */
  c: string;
  /** Correlation id, where it is not the command id. */
  r?: string;
  /** Causation id. */
  u?: string;
  /** Actor: id, role, method. */
  a: readonly [string, Actor['role'], Actor['method']];
  /** On behalf of. */
  b?: string;
  /** Purpose. */
  p?: string;
  /** Name of the command, and behind a space its action where that is not the usual one. */
  n?: string;
  /** MAC of the payload. */
  k?: string;
  /** Answer. */
  w?: object;
}>;

const USUAL_ACTION = 'contact.command';

/** What stands on a command's last event only. */
export type OnLastEvent = Readonly<{ answer?: object; command?: CommandName }>;

export const lastOf = (
  { command }: CommandContext,
  record: Readonly<{ answer?: object }> | undefined,
): OnLastEvent => ({
  ...(record?.answer !== undefined && { answer: record.answer }),
  ...(command !== undefined && { command }),
});

export const storedMetadataOf = (
  context: CommandContext,
  mac: string | undefined,
  { answer, command }: OnLastEvent,
): StoredMetadata => ({
  c: context.commandId,
  ...(context.correlationId !== context.commandId && { r: context.correlationId }),
  ...(context.causationId !== undefined && { u: context.causationId }),
  a: [context.actor.id, context.actor.role, context.actor.method],
  ...(context.onBehalfOf !== undefined && { b: context.onBehalfOf }),
  ...(context.purpose !== undefined && { p: context.purpose }),
  ...(command !== undefined && { n: storedNameOf(command) }),
  ...(mac !== undefined && { k: mac }),
  ...(answer !== undefined && { w: answer }),
});

type Place = 'eventId' | 'stream' | 'revision' | 'position' | 'recordedAt' | 'sealed';
type CommandMeta = Omit<EventMeta, Place>;

/** What the stored metadata says of the command; without the event's own place. */
export const commandMetaOf = ({ c, r, u, a, b, p, n, k, w }: StoredMetadata): CommandMeta => ({
  commandId: c,
  correlationId: r ?? c,
  ...(u !== undefined && { causationId: u }),
  actor: { id: a[0], role: a[1], method: a[2] },
  ...(b !== undefined && { onBehalfOf: b }),
  ...(p !== undefined && { purpose: p }),
  ...(n !== undefined && { command: commandNameOf(n) }),
  ...(k !== undefined && { mac: k }),
  ...(w !== undefined && { answer: w }),
});

const storedNameOf = ({ name, action }: CommandName): string =>
  action === USUAL_ACTION ? name : `${name} ${action}`;

const commandNameOf = (stored: string): CommandName => {
  const [name = stored, action = USUAL_ACTION] = stored.split(' ', 2);
  return { name, action };
};

/** The codec wrote it: enough is checked that a foreign event is noticed, not misread. */
export const isStoredMetadata = (metadata: unknown): metadata is StoredMetadata => {
  const { c, a } = (metadata ?? {}) as Partial<StoredMetadata>;
  return typeof c === 'string' && Array.isArray(a) && a.length === 3;
};
