import { shortUuid, type EventStore, type Fact } from '@app/event-store';
import type { Actor } from '@app/kernel';
import { AccessLog, type AccessRecord } from '@app/http';
import { packed } from '../../domain/field-names.events';
import {
  ACCESS_STREAM,
  type Access,
  type AccessesRecorded,
  type AccessRecorded,
  type GroupedAccess,
} from '../../domain/privacy.events';
import { AccessNotRecordedError } from './access-not-recorded.error';

const RECORDS_AN_APPEND_MAX = 256;
const RECORDS_AN_EVENT_MAX = 64;
const WAITING_MAX = 5_000;
const APPEND_TIME_MS = 5_000;

type Waiting = Readonly<{ record: AccessRecord; resolve: () => void; reject: (error: Error) => void }>;

/**
 * Writes records as events. One append is under way at a time and takes all that wait with it, so that the cost of a record
 * falls with the load. Throws AccessNotRecordedError where the event store does not confirm it within 5 s, or where 5,000
 * wait already.
 */
export class EventAccessLog extends AccessLog {
  private waiting: Waiting[] = [];
  private writing = false;

  constructor(private readonly store: Pick<EventStore, 'record'>) {
    super();
  }

  record(record: AccessRecord): Promise<void> {
    if (this.waiting.length >= WAITING_MAX) return Promise.reject(new AccessNotRecordedError());
    return new Promise((resolve, reject) => {
      this.waiting.push({ record, resolve, reject });
      if (!this.writing) void this.write();
    });
  }

  private async write(): Promise<void> {
    this.writing = true;
    while (this.waiting.length > 0) {
      const batch = this.waiting.slice(0, RECORDS_AN_APPEND_MAX);
      this.waiting = this.waiting.slice(RECORDS_AN_APPEND_MAX);
      try {
        const deadlineMs = Date.now() + APPEND_TIME_MS;
        await this.store.record(
          ACCESS_STREAM,
          grouped(batch).map((records) => factOf(records, deadlineMs)),
          deadlineMs,
        );
        for (const { resolve } of batch) resolve();
      } catch (cause) {
        for (const { reject } of batch) reject(new AccessNotRecordedError({ cause }));
      }
    }
    this.writing = false;
  }
}

const grouped = (batch: readonly Waiting[]): AccessRecord[][] => {
  const groups: AccessRecord[][] = [];
  for (const [index, { record }] of batch.entries()) {
    if (index % RECORDS_AN_EVENT_MAX === 0) groups.push([]);
    groups.at(-1)?.push(record);
  }
  return groups;
};

const factOf = (records: readonly AccessRecord[], deadlineMs: number): Fact => {
  const [first] = records as readonly [AccessRecord];
  // Two records under one id would be taken for one.
  const context = { commandId: first.recordId, repeatable: false, now: first.at, deadlineMs } as const;
  if (records.length > 1) {
    const correlationId = first.recordId;
    return { event: together(records), context: { ...context, actor: RECORDER, correlationId } };
  }
  const { actor, onBehalfOf, purpose, correlationId, network } = first;
  const event: AccessRecorded = { type: 'privacy.AccessRecorded.v1', data: accessOf(first) };
  return {
    event,
    context: {
      ...context,
      actor,
      ...(onBehalfOf !== undefined && { onBehalfOf }),
      ...(purpose !== undefined && { purpose }),
      correlationId,
      ...(network !== undefined && { network }),
    },
  };
};

const RECORDER: Actor = { id: 'privacy-log', role: 'system', method: 'internal' };

const together = (records: readonly AccessRecord[]): AccessesRecorded => {
  const places = new Map<string, number>();
  const actors: Actor[] = [];
  const accesses = records.map((record): GroupedAccess => {
    const { actor, onBehalfOf, purpose, correlationId, network } = record;
    const key = `${actor.id} ${actor.role} ${actor.method}`;
    const by = places.get(key) ?? actors.push(actor) - 1;
    places.set(key, by);
    return {
      ...(by > 0 && { by }),
      correlationId: shortUuid(correlationId),
      ...(onBehalfOf !== undefined && { onBehalfOf }),
      ...(purpose !== undefined && { purpose }),
      ...accessOf(record),
      ...(network !== undefined && { network }),
    };
  });
  return { type: 'privacy.AccessesRecorded.v1', data: { actors, accesses } };
};

/** Without what the metadata says, and without what goes without saying. */
const accessOf = (record: AccessRecord): Access => {
  const { action, command, outcome, subjects, subjectCount, subjectsHash, fields, query, rows } = record;
  const { shown, others } = packed(fields);
  return {
    action,
    ...(command !== undefined && { command }),
    ...(outcome !== 'allowed' && { outcome }),
    ...(subjects.length > 0 && { subjects: subjects.map(shortUuid) }),
    ...(subjectCount !== subjects.length && { subjectCount }),
    ...(subjectsHash !== undefined && { subjectsHash }),
    ...(shown !== undefined && { shown }),
    ...(others.length > 0 && { fields: others }),
    ...(query !== undefined && { query }),
    ...(rows !== undefined && { rows }),
  };
};
