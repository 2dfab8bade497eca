import type { CommandContext, DomainEvent, EventMeta, RecordedEvent } from '@app/kernel';

const RECORDED_AT = '2026-01-01T00:00:00.000Z';

/**
 * The event as it would be read back. A number is its place in both stream and log (so that this can be given to `map`);
 * fields of meta override the rest.
 */
export const recorded = <E extends DomainEvent>(
  event: E,
  place: number | Partial<EventMeta> = 0,
): RecordedEvent<E> => {
  const index = typeof place === 'number' ? place : Number(place.position ?? 0);
  return {
    ...event,
    meta: {
      eventId: `00000000-0000-4000-8000-${index.toString(16).padStart(12, '0')}`,
      stream: 'test-stream',
      revision: index,
      position: BigInt(index),
      recordedAt: RECORDED_AT,
      commandId: `00000000-0000-4000-9000-${index.toString(16).padStart(12, '0')}`,
      correlationId: 'test-correlation',
      actor: { id: 'test-actor', role: 'admin', method: 'api-key' },
      ...(typeof place === 'number' ? {} : place),
    },
  };
};

/** Gives those events a meta that have none yet, by their place. */
export const recordedHistory = <E extends DomainEvent>(
  history: readonly (E | RecordedEvent<E>)[],
): RecordedEvent<E>[] =>
  history.map((event, index) => ('meta' in event ? event : (recorded(event, index) as RecordedEvent<E>)));

/** A command's context, for specs that need one and care for few of its fields. */
export const commandContext = (fields: Partial<CommandContext> = {}): CommandContext => ({
  commandId: '00000000-0000-4000-9000-000000000000',
  repeatable: false,
  actor: { id: 'test-actor', role: 'admin', method: 'api-key' },
  correlationId: 'test-correlation',
  now: RECORDED_AT,
  deadlineMs: Number.MAX_SAFE_INTEGER,
  ...fields,
});
