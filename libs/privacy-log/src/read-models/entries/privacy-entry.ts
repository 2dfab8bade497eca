import type { Actor } from '@app/kernel';

/** An entry of the privacy log, as the API shows it. What stands in it beside `index` and `leafHash` is its leaf's bytes. */
export type PrivacyEntry = Readonly<{
  index: number;
  /** Of the event that makes the entry, or following from it where it makes several. */
  entryId: string;
  at: string;
  actor: Actor;
  action: string;
  command?: string;
  purpose?: string;
  outcome: 'allowed' | 'denied' | 'failed';
  onBehalfOf?: string;
  subjects: readonly string[];
  subjectCount: number;
  subjectsHash?: string;
  fields: readonly string[];
  query?: string;
  rows?: number;
  correlationId: string;
  network?: string;
  /** Of a command: its last event, in which the entry can be looked up in the event store. */
  eventId?: string;
  /** Base64. */
  leafHash: string;
}>;

export type EntryContent = Omit<PrivacyEntry, 'index' | 'leafHash'>;
