import type { Actor, CommandName } from './domain-event';

/** What every command carries besides its payload. */
export type CommandContext = Readonly<{
  /** UUID; derived from client, route and Idempotency-Key where the client gave one, random otherwise. */
  commandId: string;
  /** The client gave an Idempotency-Key, so the same command may come again and must get the same answer. */
  repeatable: boolean;
  actor: Actor;
  onBehalfOf?: string;
  purpose?: string;
  /**
   * What the privacy log calls it. Absent on steps beside somebody's command, which leave no entry of their own.
   */
  command?: CommandName;
  /** The client's address, cut to its network: `203.0.113.0/24`, `2001:db8:1::/48`. */
  network?: string;
  correlationId: string;
  causationId?: string;
  /** The instant of the command, ISO 8601 UTC: deciders have no other clock. */
  now: string;
  /** Until when to try again after races, epoch milliseconds. */
  deadlineMs: number;
  /** From If-Match: the revision the caller has seen. */
  expectedRevision?: number;
}>;

/** How a command ended. */
export type Outcome<Answer extends object = object> = Readonly<{
  answer: Answer;
  /** Revision of the stream after the command. */
  revision: number;
  /** Log position of the command's last event (of the stream's last event, where nothing was recorded). */
  position: bigint;
  /** The answer is that of an earlier, identical command. */
  replayed: boolean;
  /** Nothing had to be recorded, so no event tells of the command. */
  unchanged?: true;
}>;
