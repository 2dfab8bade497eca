import { Injectable } from '@nestjs/common';
import { EventStore } from '@app/event-store';
import { DomainError, type RecordedEvent } from '@app/kernel';
import { evaluate, type StoreFilter } from '@app/rules';
import type { ContactEvent } from '@app/contacts';
import type { Definitions } from '../membership/definitions';
import type { Interval } from '../membership/membership';
import type { SegmentDocument } from '../read-models/segments/segments.projection';
import type { PastInstant } from './instant';
import { StoredContactFacts, type AskedContact } from './mongo.contact-facts';
import { PastContactFacts, type PastQuestion } from './past.contact-facts';

/** Contacts that are asked in memory at once. */
const BATCH = 500;
const BY_HAND = ['contacts.SegmentAssigned.v1', 'contacts.SegmentUnassigned.v1'] as const;

/** Everybody cannot be asked in the time there is for a question; the same again would take as long. */
export class PastTooCostlyError extends DomainError {
  readonly code = 'segments.past-too-costly';
  readonly kind = 'invalid';
  override readonly pointer = '/axis';
  constructor() {
    super('Too many contacts have to be asked one by one who was in; on the axis "recorded" that is kept.');
  }
}

/** What is to be known of a segment and an instant before any contact is looked at. */
export type OccurredQuestion = Readonly<{
  segment: SegmentDocument;
  instant: PastInstant;
  definitions: Definitions;
  /** Null: nobody is in by a rule. */
  rule: PastQuestion | null;
  /** Of whom anything was ever said by hand about the segment. */
  byHand: ReadonlySet<string>;
  /** On the clock of performance.now(). */
  deadlineMs: number;
}>;

/**
 * Who was in a segment at a past instant by when things happened: by all that is known now, and by what the segment means now,
 * as explanations of that axis have it. Nothing of this is kept, so everybody is asked, but for those who are erased, of whom
 * nothing is known any more.
 */
@Injectable()
export class OccurredMembers {
  constructor(
    private readonly stored: StoredContactFacts,
    private readonly past: PastContactFacts,
    private readonly events: EventStore,
  ) {}

  /** `upTo`: a position that the log has reached. Throws EventStoreUnavailableError and ReadStoreUnavailableError. */
  async prepare(
    segment: SegmentDocument,
    at: string,
    upTo: bigint,
    deadlineMs: number,
  ): Promise<OccurredQuestion> {
    const instant = { at: new Date(at), axis: 'occurred' } as const;
    const { segmentId, rule, status } = segment;
    const asks = rule !== null && status === 'active';
    return {
      segment,
      instant,
      definitions: await this.past.definitionsFor([segmentId]),
      rule: asks ? await this.past.prepare(rule, instant, upTo) : null,
      byHand: await this.saidByHand(segmentId, upTo),
      deadlineMs,
    };
  }

  /** Throws PastTooCostlyError, and what prepare throws. */
  async count(question: OccurredQuestion): Promise<number> {
    let count = 0;
    for (let after = ''; ;) {
      const { members, last } = await this.next(question, after);
      count += members.length;
      if (last === null) return count;
      if (isLate(question)) throw new PastTooCostlyError();
      after = last;
    }
  }

  /**
   * At most `limit` of those who were in, by contact, behind one. `last`: where to go on; null: there are no more. Throws
   * PastTooCostlyError, and what prepare throws.
   */
  async page(
    question: OccurredQuestion,
    afterId: string,
    limit: number,
    shows: StoreFilter,
  ): Promise<Readonly<{ members: readonly AskedContact[]; last: string | null }>> {
    const found: AskedContact[] = [];
    for (let after = afterId; ;) {
      const { members, last } = await this.next(question, after, shows);
      found.push(...members);
      if (found.length > limit) {
        const page = found.slice(0, limit);
        return { members: page, last: (page.at(-1) as AskedContact).contactId };
      }
      if (last === null) return { members: found, last };
      if (isLate(question)) {
        // A short page goes on behind the last who was asked.
        if (last === afterId) throw new PastTooCostlyError();
        return { members: found, last };
      }
      after = last;
    }
  }

  /** How a contact was in; null: it was not. */
  stayOf(
    contact: AskedContact,
    { segment, definitions, instant }: OccurredQuestion,
  ): Promise<Interval | null> {
    return this.past.stayBy(contact, segment.segmentId, definitions, instant);
  }

  /** One batch of contacts. `last`: the last that was asked; null: there are no more. */
  private async next(
    question: OccurredQuestion,
    afterId: string,
    shows: StoreFilter = {},
  ): Promise<Readonly<{ members: readonly AskedContact[]; last: string | null }>> {
    const there = { erasure: null, registeredAt: { $lte: question.instant.at.toISOString() }, ...shows };
    const batch = await this.stored.scan(there, afterId, BATCH);
    const byRule = new Set(await this.byRule(question, batch));
    const members: AskedContact[] = [];
    for (const contact of batch) {
      const isIn = question.byHand.has(contact.contactId)
        ? (await this.stayOf(contact, question)) !== null
        : byRule.has(contact.contactId);
      if (isIn) members.push(contact);
    }
    return { members, last: batch.length < BATCH ? null : (batch.at(-1) as AskedContact).contactId };
  }

  private async byRule(
    { rule: asked, segment, instant, byHand }: OccurredQuestion,
    batch: readonly AskedContact[],
  ): Promise<readonly string[]> {
    if (asked === null) return [];
    const { cutOff } = segment;
    const options = cutOff === undefined ? {} : { cutOff: cutOff.value };
    const others = batch.filter(({ contactId }) => !byHand.has(contactId));
    const facts = await this.past.factsOf(others, asked);
    return [...facts].flatMap(([contactId, known]) =>
      evaluate(asked.rule, known, instant.at, options).truth === 'true' ? [contactId] : [],
    );
  }

  private async saidByHand(segmentId: string, upTo: bigint): Promise<ReadonlySet<string>> {
    const contacts = new Set<string>();
    for await (const event of this.events.eventsOf(BY_HAND, null, upTo)) {
      const { data } = event as RecordedEvent<ContactEvent>;
      if ('segmentId' in data && data.segmentId === segmentId) contacts.add(data.contactId);
    }
    return contacts;
  }
}

const isLate = ({ deadlineMs }: OccurredQuestion): boolean => performance.now() > deadlineMs;
