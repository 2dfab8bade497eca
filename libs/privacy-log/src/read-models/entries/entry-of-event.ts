import { derivedUuid, longUuid } from '@app/event-store';
import type { EventMeta, RecordedEvent } from '@app/kernel';
import { unpacked } from '../../domain/field-names.events';
import type { Access, AccessesRecorded } from '../../domain/privacy.events';
import type { EntryContent } from './privacy-entry';

/**
 * What the log shows of an event is folded from the log again and again, and its hash was signed: it must come out the same
 * for ever, also when keys were destroyed and definitions have changed. So nothing here looks at a value that was sealed, nor
 * at any definition.
 */

/** What a command's earlier events have said; a command's events follow each other. */
export type Gathered = Readonly<{
  commandId: string;
  stream: string;
  subjects: readonly string[];
  fields: readonly string[];
}>;

const NAMES_MAX = 100;
/** Named elsewhere in the entry, or by every event. */
const LEFT_OUT = new Set(['contactId', 'occurredAt']);

export const gather = (before: Gathered | null, { data, meta }: RecordedEvent): Gathered => {
  const { commandId, stream } = meta;
  const same = before !== null && before.commandId === commandId && before.stream === stream;
  const { contactId } = data as { contactId?: unknown };
  return {
    commandId,
    stream,
    subjects: joined(same ? before.subjects : [], typeof contactId === 'string' ? [contactId] : []),
    fields: joined(same ? before.fields : [], fieldsOf(data, meta.storedFields ?? Object.keys(data))),
  };
};

export const entryOfCommand = (
  { meta }: RecordedEvent,
  command: NonNullable<EventMeta['command']>,
  { subjects, fields }: Gathered,
): EntryContent => ({
  ...aboutThe(meta),
  action: command.action,
  command: command.name,
  outcome: 'allowed',
  subjects,
  subjectCount: subjects.length,
  fields,
  eventId: meta.eventId,
});

export const entryOfAccess = (access: Access, meta: Told): EntryContent => {
  const { outcome, subjects, subjectCount, shown, fields, ...rest } = access;
  return {
    ...aboutThe(meta),
    ...rest,
    outcome: outcome ?? 'allowed',
    subjects: subjects?.map(longUuid) ?? [],
    subjectCount: subjectCount ?? subjects?.length ?? 0,
    fields: [...unpacked(shown), ...(fields ?? [])],
  };
};

/** Each under an id that follows from the event's, so that it need not be stored. */
export const entriesOfAccesses = ({ data, meta }: RecordedEvent<AccessesRecorded>): readonly EntryContent[] =>
  data.accesses.map(({ by = 0, correlationId: shortened, onBehalfOf, purpose, ...access }, index) =>
    entryOfAccess(access, {
      eventId: derivedUuid(`${meta.eventId} ${index}`),
      recordedAt: meta.recordedAt,
      actor: data.actors[by] ?? meta.actor,
      ...(purpose !== undefined && { purpose }),
      ...(onBehalfOf !== undefined && { onBehalfOf }),
      correlationId: longUuid(shortened),
    }),
  );

type Told = Pick<
  EventMeta,
  'eventId' | 'recordedAt' | 'actor' | 'purpose' | 'onBehalfOf' | 'correlationId' | 'network'
>;

const aboutThe = (meta: Told) => ({
  entryId: meta.eventId,
  at: meta.recordedAt,
  actor: meta.actor,
  ...(meta.purpose !== undefined && { purpose: meta.purpose }),
  ...(meta.onBehalfOf !== undefined && { onBehalfOf: meta.onBehalfOf }),
  correlationId: meta.correlationId,
  ...(meta.network !== undefined && { network: meta.network }),
});

/** A changed profile is named field by field, since the event says openly which were changed. */
const fieldsOf = (data: object, stored: readonly string[]): readonly string[] => {
  const { changed } = data as { changed?: unknown };
  const names = stored.filter((name) => !LEFT_OUT.has(name));
  if (!Array.isArray(changed)) return names;
  const paths = changed.filter((path) => typeof path === 'string').map((path) => `profile.${path}`);
  return [...names.filter((name) => name !== 'changed' && name !== 'profile'), ...paths];
};

const joined = (before: readonly string[], more: readonly string[]): readonly string[] =>
  [...new Set([...before, ...more])].slice(0, NAMES_MAX);
