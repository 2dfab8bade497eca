import type { Actor } from '@app/kernel';

/** What one request showed, or tried to. Names, pseudonyms and counts: never a value of what was shown. */
export type AccessRecord = Readonly<{
  /** UUID that no other record has. */
  recordId: string;
  actor: Actor;
  onBehalfOf?: string;
  purpose?: string;
  correlationId: string;
  /** ISO 8601 UTC. */
  at: string;
  action: string;
  command?: string;
  outcome: 'allowed' | 'denied' | 'failed';
  /** Contacts that it was about, at most 100. */
  subjects: readonly string[];
  subjectCount: number;
  /** Of lists: SHA-256 (base64) over the ids of all of them, in ascending order, a line feed between two. */
  subjectsHash?: string;
  /** Names of the fields that were shown. */
  fields: readonly string[];
  /** Of lists: tells equal filters from others, and nothing else of them. */
  query?: string;
  /** Of lists: how many rows were shown. */
  rows?: number;
  /** The client's address, cut to its network: `203.0.113.0/24`, `2001:db8:1::/48`. */
  network?: string;
}>;

/** Where every access is written down. */
export abstract class AccessLog {
  /**
   * Resolves once the record is durable. Throws where it is not (or where nobody knows): the answer must not leave then.
   */
  abstract record(record: AccessRecord): Promise<void>;
}
