import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { contactsProjection } from '@app/contacts';
import { DecisionRunner } from '@app/event-store';
import { available, collectionOf, READ_DB } from '@app/read-store';
import { dependenciesOf } from '@app/rules';
import type { Collection, Db } from 'mongodb';
import { segmentDecider } from '../domain/segment.decider';
import { segmentStream } from '../domain/segment.events';
import { BucketedFacts, BucketNotLoadedError } from '../facts/bucketed.facts';
import { bucketsNeeded } from '../facts/buckets-needed';
import { bucketIds } from '../facts/facts.document';
import { FactBuckets } from '../read-models/mongo.fact-buckets';
import { Definitions, type Definition } from '../membership/definitions';
import { advance, nextDueAt, type MembershipState } from '../membership/membership';
import { FillState } from '../read-models/mongo.fill-state';
import { unpackMembership, type PackedMembership } from '../read-models/packed-membership';
import { STAYS, type SegmentedContact, type StayDocument } from '../read-models/segmented-contact';
import { standingAt, type Moment } from '../read-models/stays/moment';
import { PendingChanges } from '../read-models/stays/mongo.pending-changes';
import { MembershipBehindError } from './membership-behind.error';

type Folded = Pick<SegmentedContact, 'revision' | 'facts' | 'membership'> & Readonly<{ _position: bigint }>;
type ContactRow = Omit<Folded, 'membership'> & Readonly<{ _id: string; membership: PackedMembership }>;
/** See DefinitionChange. */
type ChangeRow = { _id: bigint; segmentId: string; definition: Definition; isActive: boolean };

const WAIT_MS = 5_000;
const POLL_MS = 10;
const QUERY_TIME_MAX_MS = 10_000;
const CHANGES = 'definition_changes_v1';

/** `notActive`: nobody is in the segment. `moved`: the contact's stream is further on. */
export type Standing = 'member' | 'notMember' | 'notActive' | 'moved';

/**
 * Who is in a segment at exactly one revision of the contact's own stream and one instant, for decisions that are made on that
 * revision: the read model is waited for, and what the clock has made due since is applied in memory. While a segment is being
 * filled, it is what it was before. Throws MembershipBehindError, ReadStoreUnavailableError.
 */
@Injectable()
export class MembershipAtRevision {
  protected readonly waitMs: number = WAIT_MS;
  private readonly contacts: Collection<ContactRow>;
  private readonly changes: Collection<ChangeRow>;
  private readonly stays: Collection<StayDocument>;

  constructor(
    @Inject(READ_DB) db: Db,
    private readonly decisions: DecisionRunner,
    private readonly fills: FillState,
    private readonly pending: PendingChanges,
    private readonly buckets: FactBuckets,
  ) {
    this.contacts = db.collection<ContactRow>(collectionOf(contactsProjection));
    this.changes = db.collection<ChangeRow>(CHANGES);
    this.stays = db.collection<StayDocument>(STAYS);
  }

  /** Whether there is such a segment, active or not. */
  async exists(segmentId: string): Promise<boolean> {
    const status = await this.statusOf(segmentId);
    return status === 'active' || status === 'inactive';
  }

  /** `now`: ISO 8601 UTC. */
  async standingOf(contactId: string, segmentId: string, revision: number, now: string): Promise<Standing> {
    if ((await this.statusOf(segmentId)) !== 'active') return 'notActive';
    // In this order: what was applied to everybody before the contact is read, is applied to it.
    const filledAt = await this.fills.filledAt();
    const contact = await this.folded(contactId, revision);
    if (contact === null) return 'moved';
    const before = (await this.pending.after(filledAt, [segmentId])).get(segmentId);
    const isIn =
      before === undefined
        ? await this.isIn(contact, segmentId, filledAt, now)
        : await this.wasIn(contactId, segmentId, before);
    return isIn ? 'member' : 'notMember';
  }

  private async statusOf(segmentId: string): Promise<string> {
    const { state } = await this.decisions.read(segmentDecider, segmentStream(segmentId));
    return state.status;
  }

  /** Null: it is at a later revision already. */
  private async folded(contactId: string, revision: number): Promise<Folded | null> {
    for (const deadlineMs = Date.now() + this.waitMs; ;) {
      const contact = await available(() =>
        this.contacts.findOne(
          { _id: contactId },
          {
            projection: { revision: 1, facts: 1, membership: 1, _position: 1 },
            maxTimeMS: QUERY_TIME_MAX_MS,
          },
        ),
      );
      if (contact !== null && contact.revision >= revision) {
        if (contact.revision > revision) return null;
        return { ...contact, membership: unpackMembership(contact.membership) };
      }
      if (Date.now() + POLL_MS > deadlineMs) throw new MembershipBehindError();
      await sleep(POLL_MS);
    }
  }

  private async wasIn(contactId: string, segmentId: string, before: Moment): Promise<boolean> {
    const stay = await available(() =>
      this.stays.findOne({ contactId, segmentId, ...standingAt(before) }, { maxTimeMS: QUERY_TIME_MAX_MS }),
    );
    return stay !== null;
  }

  private async isIn(contact: Folded, segmentId: string, filledAt: bigint, now: string): Promise<boolean> {
    const { membership } = contact;
    const dueAt = nextDueAt(membership);
    if (dueAt === null || dueAt > now) return Object.hasOwn(membership.open, segmentId);
    const appliedAt = BigInt(membership.definitionsAt);
    const definitions = await this.definitions(segmentId, appliedAt > filledAt ? appliedAt : filledAt);
    const due = Object.entries(membership.due).filter(([id]) => definitions.get(id) !== undefined);
    const state = await this.advanced(
      contact,
      { ...membership, due: Object.fromEntries(due) },
      definitions,
      now,
    );
    return Object.hasOwn(state.open, segmentId);
  }

  /** Of the segment, and of all that its rule refers to. */
  private async definitions(segmentId: string, upTo: bigint): Promise<Definitions> {
    const found = new Map<string, Definition>();
    for (let ids = [segmentId]; ids.length > 0;) {
      const referred = new Set<string>();
      for (const id of ids) {
        const definition = await this.definition(id, upTo);
        if (definition === null) continue;
        found.set(id, definition);
        const references = definition.rule === null ? [] : dependenciesOf(definition.rule).segments;
        for (const reference of references) if (!found.has(reference)) referred.add(reference);
      }
      ids = [...referred];
    }
    return new Definitions([...found.values()]);
  }

  private async definition(segmentId: string, upTo: bigint): Promise<Definition | null> {
    const [change] = await available(() =>
      this.changes
        .find(
          { segmentId, _id: { $lte: upTo } },
          { sort: { _id: -1 }, limit: 1, maxTimeMS: QUERY_TIME_MAX_MS },
        )
        .toArray(),
    );
    return change?.isActive === true ? change.definition : null;
  }

  /** Does it again with each month that turns out to be needed, of which there is an end. */
  private async advanced(
    { facts, _position }: Folded,
    state: MembershipState,
    definitions: Definitions,
    now: string,
  ): Promise<MembershipState> {
    const from = Date.parse(nextDueAt(state) ?? now);
    const months = new Set<string>();
    for (const { rule } of definitions.inOrder) {
      if (rule !== null) for (const month of bucketsNeeded(rule, facts, from)) months.add(month);
    }
    for (;;) {
      const found = await this.buckets.load(bucketIds(facts, [...months]));
      try {
        const known = [...found.values()];
        return advance(
          state,
          (staysIn) => new BucketedFacts(facts, known, staysIn, _position),
          definitions,
          now,
        ).state;
      } catch (error) {
        if (!(error instanceof BucketNotLoadedError) || months.has(error.month)) throw error;
        months.add(error.month);
      }
    }
  }
}
