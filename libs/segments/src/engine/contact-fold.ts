import { contactsProjection, type ContactDocument, type ContactEvent } from '@app/contacts';
import type { RecordedEvent } from '@app/kernel';
import { dependenciesOf, leavesOf, isRanked, type Rule } from '@app/rules';
import { BucketedFacts } from '../facts/bucketed.facts';
import {
  bucketId,
  bucketsWritten,
  foldBucket,
  foldFacts,
  type FactsBucket,
  type FactsDocument,
} from '../facts/facts.document';
import {
  advance,
  applyDefinitions,
  applyEvent,
  nextDueAt,
  noMembership,
  type FactsWith,
  type Interval,
  type Step,
} from '../membership/membership';
import type { SegmentedContact, StoredMembership } from '../read-models/segmented-contact';
import type { DefinitionChange, DefinitionsLog } from './definition-changes';

export type StoredBucket = FactsBucket & Readonly<{ position: bigint }>;

/** A contact as it is stored, or as it is after some events. */
export type FoldedContact = Readonly<{
  contact: SegmentedContact;
  /** Of the last event of its stream that is in it. */
  position: bigint;
}>;

/** What is in memory of what a fold may need. */
export type Surroundings = Readonly<{
  /** By bucketId. */
  buckets: ReadonlyMap<string, StoredBucket>;
  /** Stays that ended, of segments that no rule referred to until now, oldest first. */
  endedStays: (segmentId: string) => readonly Interval[];
  log: DefinitionsLog;
  /** Changes of definitions up to here are applied to every contact. */
  filledAt: bigint;
}>;

export type Fold = Readonly<{
  contact: FoldedContact | null;
  /** By bucketId: those that were written. */
  buckets: ReadonlyMap<string, StoredBucket>;
  /** Each stay as it is when it opens and again when it closes, in order. */
  stays: readonly Interval[];
}>;

type ContactHandler = (
  doc: ContactDocument | null,
  event: RecordedEvent<ContactEvent>,
  key: string,
) => ContactDocument | null;

const handlerOf = (type: string): ContactHandler | undefined =>
  Object.hasOwn(contactsProjection.on, type)
    ? (contactsProjection.on[type as keyof typeof contactsProjection.on] as ContactHandler)
    : undefined;

/**
 * Folds events of one contact's stream into its document: what lists show, what rules need, and what it is in. Before each
 * event it is brought up to the definitions that had been made by then; nothing has happened to it in between, so it is what
 * it was when they were made. Pure; throws BucketNotLoadedError where a fact is needed that is not at hand.
 */
export const foldContact = (
  stored: FoldedContact | null,
  events: readonly RecordedEvent<ContactEvent>[],
  surroundings: Surroundings,
): Fold => {
  const work = new ContactWork(stored, surroundings);
  for (const event of events) work.apply(event);
  return work.fold();
};

/**
 * Brings a contact up to the definitions made before a position and then, all events recorded before that instant being in
 * it, up to an instant. Null: nothing changed. Throws as foldContact.
 */
export const bringUp = (
  stored: FoldedContact,
  before: bigint,
  until: string | null,
  surroundings: Surroundings,
): Fold | null => {
  const work = new ContactWork(stored, surroundings);
  work.bringUpTo(before);
  if (until !== null) work.advanceTo(until, before);
  const { contact, ...fold } = work.fold();
  if (contact === null || sameMembership(contact.contact.membership, stored.contact.membership)) return null;
  return { contact, ...fold };
};

/** The states are never changed, so that what is the same object is as it was. */
const sameMembership = (one: StoredMembership, other: StoredMembership): boolean =>
  one.open === other.open &&
  one.due === other.due &&
  one.past === other.past &&
  one.evaluatedAt === other.evaluatedAt;

class ContactWork {
  private readonly buckets: Map<string, StoredBucket>;
  private readonly written = new Set<string>();
  private readonly stays: Interval[] = [];

  constructor(
    private current: FoldedContact | null,
    private readonly surroundings: Surroundings,
  ) {
    this.buckets = new Map(surroundings.buckets);
  }

  fold(): Fold {
    const { current } = this;
    const isErased = current?.contact.erasure === 'erased';
    const buckets = isErased
      ? new Map<string, StoredBucket>()
      : new Map([...this.written].map((id) => [id, this.buckets.get(id) as StoredBucket]));
    return { contact: current, buckets, stays: this.stays };
  }

  apply(event: RecordedEvent<ContactEvent>): void {
    const { position } = event.meta;
    const handle = handlerOf(event.type);
    if (handle === undefined || (this.current !== null && position <= this.current.position)) return;
    this.bringUpTo(position);
    const before = this.current;
    const { contactId } = event.data;
    const doc = handle(before?.contact ?? null, event, contactId);
    if (doc === null) return;
    const facts = foldFacts(before?.contact.facts ?? null, event);
    if (facts === null) return;
    if (doc.erasure !== 'erased') {
      for (const name of bucketsWritten(before?.contact.facts ?? null, event)) this.write(name, event);
    }
    const known = {
      before: before && this.factsOf(before.contact.facts, before.position),
      after: this.factsOf(facts, position),
    };
    const membership = before?.contact.membership ?? noMembership(contactId);
    const step = applyEvent(membership, known, this.surroundings.log.at(position), event);
    this.become(doc, facts, doc.erasure === 'erased' ? forgotten(step) : step, position, position);
  }

  /** Applies what was defined before a position and is not applied to this contact. */
  bringUpTo(before: bigint): void {
    if (this.current === null) return;
    const { log, filledAt } = this.surroundings;
    const appliedAt = BigInt(this.current.contact.membership.definitionsAt);
    const pending = log.between(appliedAt > filledAt ? appliedAt : filledAt, before);
    for (const change of pending) this.applyChange(change);
  }

  advanceTo(until: string, before: bigint): void {
    if (this.current === null) return;
    const { contact, position } = this.current;
    const facts = this.factsOf(contact.facts, position);
    const step = advance(contact.membership, facts, this.surroundings.log.at(before), until);
    if (step.state === contact.membership) return;
    this.become(contact, contact.facts, step, position, before);
  }

  private applyChange(change: DefinitionChange): void {
    const { log } = this.surroundings;
    const [before, after] = [log.at(change.position), log.at(change.position + 1n)];
    // What fell due until then belongs to the past that the new definition may ask for.
    this.advanceTo(change.at, change.position);
    const { contact, position } = this.current as FoldedContact;
    const facts = this.factsOf(contact.facts, position);
    const cause = { kind: change.kind, eventId: change.eventId, position: String(change.position) };
    const known = this.withEndedStays(contact.membership, change, before);
    const step = applyDefinitions(known, facts, { before, after }, [change.segmentId], cause, change.at);
    if (step.state === contact.membership) return;
    this.become(contact, contact.facts, step, position, change.position + 1n);
  }

  /** A rule may ask when the contact was in a segment that no rule referred to before: those stays were not kept at hand. */
  private withEndedStays(
    membership: StoredMembership,
    change: DefinitionChange,
    before: ReturnType<DefinitionsLog['at']>,
  ): StoredMembership {
    const { rule } = change.definition;
    if (rule === null || !change.isActive) return membership;
    const asked = pastReferences(rule).filter((id) => before.referringTo(id).length === 0);
    const found = asked.flatMap((id) => {
      const here = this.stays.filter(({ segmentId, to }) => segmentId === id && to !== null);
      // Of contacts that are built anew, stays are there that were still to come.
      const earlier = this.surroundings.endedStays(id).filter((stay) => hasEndedBefore(stay, change));
      const known = new Map([...earlier, ...here].map((stay) => [keyOf(stay), stay]));
      const ended = [...known.values()].map(({ from, to }) => ({ from, to: to as string }));
      return ended.length === 0 && !Object.hasOwn(membership.past, id) ? [] : [[id, ended] as const];
    });
    if (found.length === 0) return membership;
    return { ...membership, past: { ...membership.past, ...Object.fromEntries(found) } };
  }

  private become(
    doc: ContactDocument | SegmentedContact,
    facts: FactsDocument,
    { state, changes }: Step,
    position: bigint,
    definedBefore: bigint,
  ): void {
    this.stays.push(...changes);
    const definitionsAt = String(this.surroundings.log.lastBelow(definedBefore));
    const known = this.current?.contact;
    const contact: SegmentedContact = {
      ...doc,
      segments: state.open === known?.membership.open ? known.segments : Object.keys(state.open).sort(),
      segmentsDueAt: nextDueAt(state),
      facts,
      membership: { ...state, definitionsAt },
    };
    this.current = { contact, position };
  }

  private write(name: Readonly<{ month: string; part: number }>, event: RecordedEvent<ContactEvent>): void {
    const { contactId } = event.data;
    const id = bucketId(contactId, name);
    const stored = this.buckets.get(id) ?? null;
    const { position } = event.meta;
    // It may have been written before a crash, and the contact's document not.
    if (stored !== null && position <= stored.position) return;
    this.buckets.set(id, { ...foldBucket(stored, contactId, name, event), position });
    this.written.add(id);
  }

  private factsOf(facts: FactsDocument, upTo: bigint): FactsWith {
    return (staysIn) => new BucketedFacts(facts, [...this.buckets.values()], staysIn, upTo);
  }
}

/** Of an erased contact nothing is asked any more. */
const forgotten = ({ state, changes }: Step): Step => ({
  state: { ...state, due: {}, overlays: {}, past: {} },
  changes,
});

const hasEndedBefore = ({ to, causeOut }: Interval, { at, position }: DefinitionChange): boolean =>
  to !== null && to <= at && causeOut !== null && BigInt(causeOut.position) < position;

const keyOf = ({ from, causeIn: { position, kind } }: Interval): string => `${from} ${position} ${kind}`;

/** Segments whose past a rule asks for. */
export const pastReferences = (rule: Rule): readonly string[] => {
  if (isRanked(rule.root) || dependenciesOf(rule).segments.length === 0) return [];
  const ids = leavesOf(rule.root).flatMap((leaf) =>
    'segment' in leaf && leaf.op !== 'in' && leaf.op !== 'notIn' ? [leaf.segment] : [],
  );
  return [...new Set(ids)];
};
