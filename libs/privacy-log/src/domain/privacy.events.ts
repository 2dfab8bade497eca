import { defineEvent, open, type Actor, type DomainEvent, type EventDefinition } from '@app/kernel';

/** What of an access the event's metadata does not say. Names, pseudonyms and counts only: nothing in it is personal by itself. */
export type Access = Readonly<{
  action: string;
  command?: string;
  /** Absent: allowed. */
  outcome?: 'denied' | 'failed';
  /** Contacts, at most 100; UUIDs as `shortUuid` writes them, or in full. */
  subjects?: readonly string[];
  /** Where it is another than how many `subjects` names. */
  subjectCount?: number;
  subjectsHash?: string;
  /** Names of fields, as `packed` writes them. */
  shown?: string;
  /** Names of further fields. */
  fields?: readonly string[];
  query?: string;
  rows?: number;
  /** Where metadata does not name it. */
  network?: string;
}>;

/** Somebody was shown something, or was denied it, or a command was refused. On stream `privacylog-main`. */
export type AccessRecorded = DomainEvent<'privacy.AccessRecorded.v1', Access>;

/** One of several accesses, with what metadata says of a single one. */
export type GroupedAccess = Access &
  Readonly<{
    /** Which of the event's actors it was; absent: the first. */
    by?: number;
    correlationId: string;
    onBehalfOf?: string;
    purpose?: string;
  }>;

/**
 * What was shown to several while the event store was busy: an entry each, in order. Under load one event costs little more
 * than one access. On stream `privacylog-main`.
 */
export type AccessesRecorded = DomainEvent<
  'privacy.AccessesRecorded.v1',
  { actors: readonly Actor[]; accesses: readonly GroupedAccess[] }
>;

/** The log's tree had this root at this size. On stream `privacylog-checkpoints`. */
export type CheckpointSigned = DomainEvent<
  'privacy.CheckpointSigned.v1',
  {
    size: number;
    /** Base64. */
    root: string;
    /** The C2SP checkpoint, a signed note. */
    note: string;
    keyNumber: number;
    /** Token of the lease under which it was signed. */
    fence: number;
  }
>;

/** From now on, checkpoints and receipts are signed with another key. On stream `privacylog-keys`. */
export type SigningKeyRotated = DomainEvent<
  'privacy.SigningKeyRotated.v1',
  {
    keyNumber: number;
    /** Base64. */
    publicKey: string;
    occurredAt: string;
  }
>;

export type PrivacyLogEvent = AccessRecorded | AccessesRecorded | CheckpointSigned | SigningKeyRotated;

export const ACCESS_STREAM = 'privacylog-main';
export const CHECKPOINT_STREAM = 'privacylog-checkpoints';
export const KEY_STREAM = 'privacylog-keys';

export const privacyLogEventDefinitions: readonly EventDefinition[] = [
  defineEvent<AccessRecorded>({
    type: 'privacy.AccessRecorded.v1',
    fields: {
      action: open,
      command: open,
      outcome: open,
      subjects: open,
      subjectCount: open,
      subjectsHash: open,
      shown: open,
      fields: open,
      query: open,
      rows: open,
      network: open,
    },
  }),
  defineEvent<AccessesRecorded>({
    type: 'privacy.AccessesRecorded.v1',
    fields: { actors: open, accesses: open },
  }),
  defineEvent<CheckpointSigned>({
    type: 'privacy.CheckpointSigned.v1',
    fields: { size: open, root: open, note: open, keyNumber: open, fence: open },
  }),
  defineEvent<SigningKeyRotated>({
    type: 'privacy.SigningKeyRotated.v1',
    fields: { keyNumber: open, publicKey: open, occurredAt: open },
  }),
];
