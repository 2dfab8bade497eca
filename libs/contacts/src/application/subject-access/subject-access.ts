import { Injectable } from '@nestjs/common';
import { DecisionRunner, EventStore } from '@app/event-store';
import type { RecordedEvent } from '@app/kernel';
import { contactDecider } from '../../domain/contact.decider';
import { ContactNotFoundError } from '../../domain/contact.errors';
import { contactEventDefinitions, contactStream, type ContactEvent } from '../../domain/contact.events';
import { isFenced } from '../../domain/decision-basics';
import { checkVisible, type Reader } from '../../visibility';
import { DerivedRecords } from './derived-records.port';
import type { HeldFact } from './held-fact';

/** Fields that only the write side has a use for, and that tell the person nothing. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'emailClaim',
  'releasedEmailClaim',
  'claimId',
  'suppressionToken',
]);

const FIELDS: ReadonlyMap<string, readonly string[]> = new Map(
  contactEventDefinitions.map(({ type, fields }) => [
    type,
    Object.keys(fields).filter((name) => !LEFT_OUT.has(name)),
  ]),
);

const MEMBERS: readonly (keyof HeldFact)[] = [
  'what',
  'type',
  'eventId',
  'position',
  'recordedAt',
  'actor',
  'data',
];

/** The names of what is shown of each, and of every field of `data` that is personal or kept for the books. */
export const HELD_FIELDS: readonly string[] = [
  ...MEMBERS,
  ...new Set(
    contactEventDefinitions.flatMap(({ fields }) =>
      Object.entries(fields).flatMap(([name, { kind }]) =>
        kind === 'sealed' && !LEFT_OUT.has(name) ? [`data.${name}`] : [],
      ),
    ),
  ),
];

/**
 * What a person is told that is held about them (GDPR, Articles 15 and 20): all of their stream, event by event, and what was
 * worked out from it.
 */
@Injectable()
export class SubjectAccess {
  constructor(
    private readonly runner: DecisionRunner,
    private readonly events: EventStore,
    private readonly derived: DerivedRecords,
  ) {}

  /**
   * Checks at once whether the contact may be read, on its stream and so up to date; what is answered reads on as it is
   * taken, one event at a time. Throws ContactNotFoundError and what checkVisible throws.
   */
  async of(contactId: string, reader: Reader): Promise<AsyncIterable<HeldFact>> {
    const { state } = await this.runner.read(contactDecider, contactStream(contactId));
    if (state.status === 'unknown') throw new ContactNotFoundError();
    checkVisible({ isErased: isFenced(state), isRestricted: state.processingRestricted }, reader);
    return this.read(contactId);
  }

  private async *read(contactId: string): AsyncGenerator<HeldFact> {
    for await (const event of this.events.readStream(contactStream(contactId))) {
      yield heldFact(event as RecordedEvent<ContactEvent>);
    }
    yield* this.derived.about(contactId);
  }
}

const heldFact = ({ type, data, meta }: RecordedEvent<ContactEvent>): HeldFact => {
  const values = data as Readonly<Record<string, unknown>>;
  return {
    what: type.split('.')[1] ?? type,
    type,
    eventId: meta.eventId,
    position: meta.position.toString(),
    recordedAt: meta.recordedAt,
    actor: { id: meta.actor.id, role: meta.actor.role },
    data: Object.fromEntries(
      (FIELDS.get(type) ?? []).flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])),
    ),
  };
};
