/** A fact, in JSON-safe values only: what is written here is read back for ever. */
export type DomainEvent<Type extends string = string, Data extends object = object> = Readonly<{
  /** `<context>.<PastTense>.v<N>`; stored, never renamed. */
  type: Type;
  data: Readonly<Data>;
}>;

/** An event as read back, with where it sits in its stream and in the log. */
export type RecordedEvent<E extends DomainEvent = DomainEvent> = E & Readonly<{ meta: EventMeta }>;

export type EventMeta = Readonly<{
  eventId: string;
  stream: string;
  /** Place in the stream, from 0. */
  revision: number;
  /** Place in the whole log: 64 bits, strictly increasing. */
  position: bigint;
  /** When it was written, ISO 8601 UTC with milliseconds. */
  recordedAt: string;
  commandId: string;
  correlationId: string;
  causationId?: string;
  actor: Actor;
  onBehalfOf?: string;
  purpose?: string;
  /** On the command's last event only, so that what it wrote to a stream makes one entry of the privacy log. */
  command?: CommandName;
  /** On the command's last event only: the client's address, cut to its network. */
  network?: string;
  /** Keyed MAC of the command's payload; only on commands that can come again (see CommandContext). */
  mac?: string;
  /** What the command was answered; on its last event only, and only beside `mac`. */
  answer?: object;
  /** Sealed fields as stored, by field name: for read models that keep them sealed. */
  sealed?: Readonly<Record<string, string>>;
  /** Names of the fields as they were stored; only where the event was brought up to a newer version since. */
  storedFields?: readonly string[];
}>;

/** A command as the privacy log names it: `CreditPoints`, `contact.command`. */
export type CommandName = Readonly<{ name: string; action: string }>;

/** Who acted, by pseudonym: an API key's id, never a name. */
export type Actor = Readonly<{
  id: string;
  role: Role | 'system';
  /** How the actor was authenticated. */
  method: 'api-key' | 'internal';
}>;

export type Role = 'operator' | 'analyst' | 'auditor' | 'admin';

/** Personal data after opening: null once the subject's key is destroyed. */
export type Personal<T> = T | null;
