import { Injectable } from '@nestjs/common';
import { contactStream, type ContactEvent } from '@app/contacts';
import { EventStore } from '@app/event-store';
import type { RecordedEvent } from '@app/kernel';
import { dependenciesOf, foldHistory, type ContactFacts, type ContactHistory, type Rule } from '@app/rules';
import { Definitions, type Definition } from '../membership/definitions';
import type { Interval } from '../membership/membership';
import { SegmentReads } from '../read-models/segments/mongo.segment-reads';
import { isBy, type PastInstant } from './instant';
import { membershipByThen, Recalled, staysIn } from './membership-by-then';
import { StoredContactFacts, type AskedContact } from './mongo.contact-facts';
import { answersFor } from './standing-since';

/** Contacts whose streams are read at the same time. */
const STREAMS_AT_ONCE = 8;
/** Edges of references between segments; see REFERENCE_DEPTH_MAX. */
const CLOSURE_STEPS_MAX = 6;
/** The rule that is asked, as a segment of its own. */
const ASKED = 'asked';

const OBJECTIONS = ['contacts.ProfilingObjected.v1', 'contacts.ObjectionLifted.v1'] as const;

/** What is to be known of a question before any contact is looked at. */
export type PastQuestion = Readonly<{
  rule: Rule;
  instant: PastInstant;
  /** Who objected to profiling then. */
  objectors: ReadonlySet<string>;
  /** Of `occurred`, where the rule refers to segments: what those mean now, and the rule itself. */
  definitions: Definitions | null;
}>;

/**
 * Contacts as they were at a past instant. Whose present facts say what was then is answered from them; all others are folded
 * from the log, stream by stream, with no more than a batch in memory.
 */
@Injectable()
export class PastContactFacts {
  constructor(
    private readonly stored: StoredContactFacts,
    private readonly segments: SegmentReads,
    private readonly events: EventStore,
  ) {}

  /** `upTo`: a position that the log has reached. Throws EventStoreUnavailableError and ReadStoreUnavailableError. */
  async prepare(rule: Rule, instant: PastInstant, upTo: bigint): Promise<PastQuestion> {
    const { segments } = dependenciesOf(rule);
    const definitions =
      instant.axis === 'occurred' && segments.length > 0
        ? await this.definitionsFor(segments, [{ segmentId: ASKED, version: 1, rule }])
        : null;
    return { rule, instant, objectors: await this.objectorsAt(instant, upTo), definitions };
  }

  /** By contact; who is not among them was not there, or is not to be profiled. */
  async factsOf(
    contacts: readonly AskedContact[],
    question: PastQuestion,
  ): Promise<ReadonlyMap<string, ContactFacts>> {
    const { rule, instant, objectors, definitions } = question;
    const asked = contacts.filter(({ contactId }) => !objectors.has(contactId));
    const segmentIds = definitions === null ? dependenciesOf(rule).segments : [];
    const at = instant.at.toISOString();
    const ids = asked.map(({ contactId }) => contactId);
    const stays = await this.stored.staysOf(ids, segmentIds, at);
    const staysOf = (contactId: string, segmentId: string) => stays.get(contactId)?.get(segmentId) ?? [];
    const [known, folded] = [[], []] as [AskedContact[], AskedContact[]];
    for (const contact of asked) {
      const isKnown = definitions === null && answersFor(contact.facts, rule, instant);
      (isKnown ? known : folded).push(contact);
    }
    const facts = new Map<string, ContactFacts>();
    const ofKnown = await this.stored.factsWith(known, rule, instant.at, ({ contactId }, segmentId) =>
      staysOf(contactId, segmentId),
    );
    for (const one of ofKnown) facts.set(one.contactId, one);
    for (let n = 0; n < folded.length; n += STREAMS_AT_ONCE) {
      const some = folded.slice(n, n + STREAMS_AT_ONCE);
      const streams = await Promise.all(some.map((contact) => this.eventsBy(contact, instant)));
      some.forEach(({ contactId }, index) => {
        const events = streams[index] ?? [];
        const one =
          definitions === null
            ? recalled(events, (segmentId) => staysOf(contactId, segmentId))
            : recomputed(contactId, events, definitions, at);
        if (one !== null) facts.set(contactId, one);
      });
    }
    return facts;
  }

  /** How a contact was in a segment by when things happened; null: it was not. Throws EventStoreUnavailableError. */
  async stayBy(
    contact: AskedContact,
    segmentId: string,
    definitions: Definitions,
    instant: PastInstant,
  ): Promise<Interval | null> {
    const events = await this.eventsBy(contact, instant);
    const then = membershipByThen(contact.contactId, events, definitions, instant.at.toISOString());
    const { open = {} } = then?.membership ?? {};
    return Object.hasOwn(open, segmentId) ? (open[segmentId] as Interval) : null;
  }

  /** Of a contact's stream, in the order of the log: no more than its document knows of. */
  private async eventsBy(
    { contactId, _position }: AskedContact,
    instant: PastInstant,
  ): Promise<readonly RecordedEvent<ContactEvent>[]> {
    const events: RecordedEvent<ContactEvent>[] = [];
    for await (const event of this.events.readStream(contactStream(contactId))) {
      if (event.meta.position > BigInt(_position)) break;
      if (isBy(event, instant)) events.push(event as RecordedEvent<ContactEvent>);
    }
    return events;
  }

  private async objectorsAt(instant: PastInstant, upTo: bigint): Promise<ReadonlySet<string>> {
    const objectors = new Set<string>();
    for await (const event of this.events.eventsOf(OBJECTIONS, null, upTo)) {
      if (!isBy(event, instant)) continue;
      const { contactId } = (event as RecordedEvent<ContactEvent>).data;
      if (event.type === OBJECTIONS[0]) objectors.add(contactId);
      else objectors.delete(contactId);
    }
    return objectors;
  }

  /** Some segments and all that their rules lead to, as far as they are active, as they are defined now. */
  async definitionsFor(segmentIds: readonly string[], own: readonly Definition[] = []): Promise<Definitions> {
    const found: Definition[] = [...own];
    const seen = new Set<string>();
    let next = [...segmentIds];
    for (let step = 0; next.length > 0 && step < CLOSURE_STEPS_MAX; step += 1) {
      for (const id of next) seen.add(id);
      const segments = [...(await this.segments.findAll(next)).values()];
      for (const { segmentId, version, rule, cutOff, status } of segments) {
        if (status !== 'active') continue;
        found.push({ segmentId, version, rule, ...(cutOff !== undefined && { cutOff: cutOff.value }) });
      }
      const referred = segments.flatMap(({ rule }) => (rule === null ? [] : dependenciesOf(rule).segments));
      next = [...new Set(referred)].filter((id) => !seen.has(id));
    }
    return new Definitions(found);
  }
}

const recalled = (
  events: readonly RecordedEvent<ContactEvent>[],
  stays: ConstructorParameters<typeof Recalled>[1],
): ContactFacts | null => {
  const history = events.reduce<ContactHistory | null>(foldHistory, null);
  return history && new Recalled(history, stays);
};

const recomputed = (
  contactId: string,
  events: readonly RecordedEvent<ContactEvent>[],
  definitions: Definitions,
  at: string,
): ContactFacts | null => {
  const then = membershipByThen(contactId, events, definitions, at);
  return then && new Recalled(then.history, (segmentId) => staysIn(then.membership, segmentId));
};
