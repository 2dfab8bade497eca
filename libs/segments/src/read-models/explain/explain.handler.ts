import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { ContactPresence, contactStream, type ContactEvent } from '@app/contacts';
import { EventStore } from '@app/event-store';
import type { RecordedEvent } from '@app/kernel';
import {
  dependenciesOf,
  evaluate,
  explain,
  foldHistory,
  type ContactHistory,
  type Evaluation,
  type Explanation,
} from '@app/rules';
import { segmentStream, type SegmentEvent } from '../../domain/segment.events';
import { changeBy, type DefinitionChange } from '../../engine/definition-changes';
import { isBy } from '../../evaluation/instant';
import { membershipByThen, Recalled, staysIn } from '../../evaluation/membership-by-then';
import { StoredContactFacts } from '../../evaluation/mongo.contact-facts';
import { PastContactFacts } from '../../evaluation/past.contact-facts';
import { SegmentNotShownError } from '../segments/segment-not-shown.error';
import { stayAt, type Moment } from '../stays/moment';
import { ShownAsOf } from '../../evaluation/shown-as-of';
import { ExplainQuery, type ExplainAnswer } from './explain.query';
import { objectsToProfiling, overlayAfter } from './overlay-by-then';

/** Before there was a contact or a rule. */
const NOTHING: Explanation = { pointer: '/root', truth: 'false' };

type Then = Readonly<{
  at: string;
  /** In the order of the log. */
  events: readonly RecordedEvent<ContactEvent>[];
  facts: Recalled | null;
  isMember: boolean;
  change: DefinitionChange | null;
  version: number | null;
}>;

/**
 * Answers from the log: the contact's stream for its facts, so that every event behind an answer can be named, the segment's
 * for what decided; who is in, and who was, from the stays.
 */
@QueryHandler(ExplainQuery)
export class ExplainHandler implements IQueryHandler<ExplainQuery> {
  constructor(
    private readonly shown: ShownAsOf,
    private readonly contacts: ContactPresence,
    private readonly stored: StoredContactFacts,
    private readonly past: PastContactFacts,
    private readonly events: EventStore,
  ) {}

  /** Throws ContactNotFoundError, what checkVisible throws, and what ShownAsOf throws. */
  async execute(query: ExplainQuery): Promise<ExplainAnswer> {
    try {
      return await this.explained(query);
    } catch (error) {
      // Of an erased contact nothing else is answered than that it is.
      if (error instanceof SegmentNotShownError)
        await this.contacts.checkShown(query.contactId, query.reader);
      throw error;
    }
  }

  private explained({ segmentId, contactId, asked, reader }: ExplainQuery): Promise<ExplainAnswer> {
    return this.shown.ask([segmentId], asked, async ({ moments, asOfPosition, now }) => {
      await this.contacts.checkShown(contactId, reader);
      const moment = moments.get(segmentId) ?? null;
      const isOccurred =
        asked.axis === 'occurred' && (asked.asOf !== undefined || asked.asOfPosition !== undefined);
      const then =
        isOccurred && moment !== null
          ? await this.occurred(segmentId, contactId, moment, asOfPosition)
          : await this.recorded(segmentId, contactId, moment, now, asOfPosition);
      return answerFor(segmentId, then, asOfPosition);
    });
  }

  /** What was known then, or what is known now. */
  private async recorded(
    segmentId: string,
    contactId: string,
    moment: Moment | null,
    now: string,
    reached: bigint,
  ): Promise<Then> {
    const at = moment?.at ?? now;
    // What the read models have not seen is not in the stays either.
    const upTo = (await this.stored.positionOf(contactId)) ?? reached;
    const isKnown = (event: RecordedEvent): boolean => {
      if (moment?.position !== undefined) return event.meta.position <= moment.position;
      return moment === null || event.meta.recordedAt <= at;
    };
    const events = (await this.stream<ContactEvent>(contactStream(contactId), upTo)).filter(isKnown);
    const change = await this.definition(segmentId, reached, isKnown);
    const referred = change?.definition.rule ? dependenciesOf(change.definition.rule).segments : [];
    const stays = await this.stored.staysOf([contactId], referred, moment === null ? undefined : at);
    const own = await this.stored.staysWithCauses(contactId, segmentId);
    const current = own.map((stay) => (moment === null ? stay : stayAt(stay, moment)));
    const open = current.find((stay) => stay !== null && stay.to === null);
    return {
      at,
      events,
      facts: factsOf(events, (id) => stays.get(contactId)?.get(id) ?? []),
      isMember: open !== undefined,
      change,
      version: open?.version ?? change?.definition.version ?? null,
    };
  }

  /** What was true then by what is known now, and by what the segment means now. */
  private async occurred(
    segmentId: string,
    contactId: string,
    { at }: Moment,
    reached: bigint,
  ): Promise<Then> {
    const change = await this.definition(segmentId, reached, () => true);
    const upTo = (await this.stored.positionOf(contactId)) ?? reached;
    const events = (await this.stream<ContactEvent>(contactStream(contactId), upTo)).filter((event) =>
      isBy(event, { at: new Date(at), axis: 'occurred' }),
    );
    const definitions = await this.past.definitionsFor([segmentId]);
    const found = membershipByThen(contactId, events, definitions, at);
    const isMember = found !== null && Object.hasOwn(found.membership.open, segmentId);
    const facts = found && new Recalled(found.history, (id) => staysIn(found.membership, id));
    return { at, events, facts, isMember, change, version: change?.definition.version ?? null };
  }

  private async definition(
    segmentId: string,
    upTo: bigint,
    isKnown: (event: RecordedEvent) => boolean,
  ): Promise<DefinitionChange | null> {
    const events = await this.stream<SegmentEvent>(segmentStream(segmentId), upTo);
    return events
      .filter(isKnown)
      .reduce<DefinitionChange | null>((before, event) => changeBy(before, event) ?? before, null);
  }

  private async stream<E extends ContactEvent | SegmentEvent>(
    name: string,
    upTo: bigint,
  ): Promise<RecordedEvent<E>[]> {
    const events: RecordedEvent<E>[] = [];
    for await (const event of this.events.readStream(name)) {
      if (event.meta.position > upTo) break;
      events.push(event as RecordedEvent<E>);
    }
    return events;
  }
}

const factsOf = (
  events: readonly RecordedEvent<ContactEvent>[],
  stays: ConstructorParameters<typeof Recalled>[1],
): Recalled | null => {
  const history = events.reduce<ContactHistory | null>(foldHistory, null);
  return history && new Recalled(history, stays);
};

const answerFor = (
  segmentId: string,
  { at, events, facts, isMember, change, version }: Then,
  asOfPosition: bigint,
): ExplainAnswer => {
  const rule = change?.definition.rule ?? null;
  const { cutOff } = change?.definition ?? {};
  const options = cutOff === undefined ? {} : { cutOff };
  const instant = new Date(at);
  const tree = rule === null || facts === null ? NOTHING : explain(rule, facts, instant, options);
  const evaluation: Evaluation =
    rule === null || facts === null
      ? { truth: 'false', nextChangeAt: null }
      : evaluate(rule, facts, instant, options);
  const overlay = overlayAfter(events, segmentId, at);
  const isDecidedByRule = change?.isActive === true && !objectsToProfiling(events);
  return {
    member: isMember,
    truth: tree.truth,
    version,
    overlay,
    nextChangeAt: overlay === null ? (isDecidedByRule ? evaluation.nextChangeAt : null) : overlay.expiresAt,
    tree,
    asOf: at,
    asOfPosition: asOfPosition.toString(),
  };
};
