import type { Actor, CommandContext, CommandName, EventMeta } from '@app/kernel';
import { longUuid, shortUuid } from './short-uuid';

/** Metadata as stored: short keys and ids, since every event carries them; what is usual is left out. */
export type StoredMetadata = Readonly<{
  /** Command id. */
  c: string;
  /** Correlation id, where it is not the command id. */
  r?: string;
  /** Causation id. */
  u?: string;
  /** Actor: id, role, and method where it is not the role's usual one. */
  a: readonly [string, Actor['role'], Actor['method']?];
  /** On behalf of. */
  b?: string;
  /** Purpose. */
  p?: string;
  /** Name of the command, and behind a space its action where that is not the usual one. */
  n?: string;
  /** Network, without what follows from its family. */
  i?: string;
  /** MAC of the payload. */
  k?: string;
  /** Answer. */
  w?: object;
}>;

const USUAL_ACTION = 'contact.command';

/** What stands on a command's last event only. */
export type OnLastEvent = Readonly<{ answer?: object; command?: CommandName; network?: string }>;

export const lastOf = (
  { command, network }: CommandContext,
  record: Readonly<{ answer?: object }> | undefined,
): OnLastEvent => ({
  ...(record?.answer !== undefined && { answer: record.answer }),
  ...(command !== undefined && { command }),
  ...(network !== undefined && { network }),
});

export const storedMetadataOf = (
  context: CommandContext,
  mac: string | undefined,
  { answer, command, network }: OnLastEvent,
): StoredMetadata => ({
  c: shortUuid(context.commandId),
  ...(context.correlationId !== context.commandId && { r: shortUuid(context.correlationId) }),
  ...(context.causationId !== undefined && { u: shortUuid(context.causationId) }),
  a: storedActorOf(context.actor),
  ...(context.onBehalfOf !== undefined && { b: context.onBehalfOf }),
  ...(context.purpose !== undefined && { p: context.purpose }),
  ...(command !== undefined && { n: storedNameOf(command) }),
  ...(network !== undefined && { i: storedNetworkOf(network) }),
  ...(mac !== undefined && { k: mac }),
  ...(answer !== undefined && { w: answer }),
});

type Place = 'eventId' | 'stream' | 'revision' | 'position' | 'recordedAt' | 'sealed';
type CommandMeta = Omit<EventMeta, Place>;

/** What the stored metadata says of the command; without the event's own place. */
export const commandMetaOf = ({ c, r, u, a, b, p, n, i, k, w }: StoredMetadata): CommandMeta => {
  const commandId = longUuid(c);
  return {
    commandId,
    correlationId: r === undefined ? commandId : longUuid(r),
    ...(u !== undefined && { causationId: longUuid(u) }),
    actor: { id: longUuid(a[0]), role: a[1], method: a[2] ?? usualMethodOf(a[1]) },
    ...(b !== undefined && { onBehalfOf: b }),
    ...(p !== undefined && { purpose: p }),
    ...(n !== undefined && { command: commandNameOf(n) }),
    ...(i !== undefined && { network: networkOf(i) }),
    ...(k !== undefined && { mac: k }),
    ...(w !== undefined && { answer: w }),
  };
};

const usualMethodOf = (role: Actor['role']): Actor['method'] => (role === 'system' ? 'internal' : 'api-key');

const storedActorOf = ({ id, role, method }: Actor): StoredMetadata['a'] =>
  method === usualMethodOf(role) ? [shortUuid(id), role] : [shortUuid(id), role, method];

/** All networks are cut alike, so that the length of the prefix follows from the family. */
const storedNetworkOf = (network: string): string => network.replace(/\.0\/24$|\/48$/, '');

const networkOf = (stored: string): string => (stored.includes(':') ? `${stored}/48` : `${stored}.0/24`);

const storedNameOf = ({ name, action }: CommandName): string =>
  action === USUAL_ACTION ? name : `${name} ${action}`;

const commandNameOf = (stored: string): CommandName => {
  const [name = stored, action = USUAL_ACTION] = stored.split(' ', 2);
  return { name, action };
};

/** The codec wrote it: enough is checked that a foreign event is noticed, not misread. */
export const isStoredMetadata = (metadata: unknown): metadata is StoredMetadata => {
  const { c, a } = (metadata ?? {}) as Partial<StoredMetadata>;
  return typeof c === 'string' && Array.isArray(a) && (a.length === 2 || a.length === 3);
};
