import type { EventStore, Fact } from '@app/event-store';
import { AccessLog, type AccessRecord } from '@app/http';
import { packed } from '../../domain/field-names.events';
import { ACCESS_STREAM, type Access, type AccessRecorded } from '../../domain/privacy.events';
import { AccessNotRecordedError } from './access-not-recorded.error';

const RECORDS_AN_APPEND_MAX = 256;
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
          batch.map(({ record }) => factOf(record, deadlineMs)),
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

const factOf = (record: AccessRecord, deadlineMs: number): Fact => {
  const { recordId, actor, onBehalfOf, purpose, correlationId, at } = record;
  const event: AccessRecorded = { type: 'privacy.AccessRecorded.v1', data: accessOf(record) };
  return {
    event,
    context: {
      // Two records under one id would be taken for one.
      commandId: recordId,
      repeatable: false,
      actor,
      ...(onBehalfOf !== undefined && { onBehalfOf }),
      ...(purpose !== undefined && { purpose }),
      correlationId,
      now: at,
      deadlineMs,
    },
  };
};

/** Without what the metadata says, and without what goes without saying. */
const accessOf = (record: AccessRecord): Access => {
  const { action, command, outcome, subjects, subjectCount, subjectsHash, fields, query, rows, network } =
    record;
  const { shown, others } = packed(fields);
  return {
    action,
    ...(command !== undefined && { command }),
    ...(outcome !== 'allowed' && { outcome }),
    ...(subjects.length > 0 && { subjects }),
    ...(subjectCount !== subjects.length && { subjectCount }),
    ...(subjectsHash !== undefined && { subjectsHash }),
    ...(shown !== undefined && { shown }),
    ...(others.length > 0 && { fields: others }),
    ...(query !== undefined && { query }),
    ...(rows !== undefined && { rows }),
    ...(network !== undefined && { network }),
  };
};
