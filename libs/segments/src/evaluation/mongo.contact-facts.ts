import { Inject, Injectable } from '@nestjs/common';
import { contactsProjection } from '@app/contacts';
import { available, collectionOf, READ_DB } from '@app/read-store';
import {
  dependenciesOf,
  isRanked,
  leavesOf,
  type ContactFacts,
  type Membership,
  type Rule,
  type StoreFilter,
} from '@app/rules';
import type { Collection, Db } from 'mongodb';
import { BucketedFacts } from '../facts/bucketed.facts';
import { bucketsNeeded } from '../facts/buckets-needed';
import { bucketIds } from '../facts/facts.document';
import { FactBuckets } from '../read-models/mongo.fact-buckets';
import { memberSince, type PackedMembership } from '../read-models/packed-membership';
import { stayAt, type Moment } from '../read-models/stays/moment';
import { STAYS, type SegmentedContact, type StayDocument } from '../read-models/segmented-contact';

/** What rules ask of a stored contact. */
export type AskedContact = Pick<SegmentedContact, 'contactId' | 'facts' | 'segments'> &
  Readonly<{
    membership: Pick<PackedMembership, 'open' | 'overlays'>;
    profilingObjected?: true;
    processingRestricted?: true;
    _position: bigint;
  }>;

type Stored = AskedContact & { _id: string };

const QUERY_TIME_MAX_MS = 10_000;
const ASKED_FIELDS = {
  contactId: 1,
  facts: 1,
  'membership.open': 1,
  'membership.overlays': 1,
  segments: 1,
  profilingObjected: 1,
  processingRestricted: 1,
  _position: 1,
};

/** Stays of contacts, by contact and then by segment, oldest first. */
export type StaysByContact = ReadonlyMap<string, ReadonlyMap<string, readonly Membership[]>>;

/** Contacts as they are stored, ready for rules to be asked of them. Throws ReadStoreUnavailableError. */
@Injectable()
export class StoredContactFacts {
  private readonly contacts: Collection<Stored>;
  private readonly stays: Collection<StayDocument & { _id: string }>;

  constructor(
    @Inject(READ_DB) db: Db,
    private readonly buckets: FactBuckets,
  ) {
    this.contacts = db.collection<Stored>(collectionOf(contactsProjection));
    this.stays = db.collection<StayDocument & { _id: string }>(STAYS);
  }

  /** The next contacts by id that pass a filter, at most `limit`, as far as they are folded for rules. */
  scan(filter: StoreFilter, afterId: string, limit: number): Promise<readonly AskedContact[]> {
    return available(() =>
      this.contacts
        .find(
          { $and: [{ _id: { $gt: afterId } }, { facts: { $exists: true } }, filter] },
          {
            projection: ASKED_FIELDS,
            sort: { _id: 1 },
            limit,
            batchSize: limit + 1,
            maxTimeMS: QUERY_TIME_MAX_MS,
          },
        )
        .toArray(),
    );
  }

  count(filter: StoreFilter): Promise<number> {
    return available(() => this.contacts.countDocuments(filter, { maxTimeMS: QUERY_TIME_MAX_MS }));
  }

  /** With what a rule asks for at an instant, loaded for all of them at once, in the order of the contacts. */
  async factsOf(
    contacts: readonly AskedContact[],
    rule: Rule,
    now: Date,
    /** Of segments that are asked as they were: when. */
    moments: ReadonlyMap<string, Moment> = new Map(),
  ): Promise<readonly ContactFacts[]> {
    const asBefore = dependenciesOf(rule).segments.filter((id) => moments.has(id));
    const past = await this.staysOf(
      contacts.map(({ contactId }) => contactId),
      [...new Set([...pastAsked(rule), ...asBefore])],
      undefined,
      moments,
    );
    return this.factsWith(contacts, rule, now, (contact, segmentId) => {
      const known = past.get(contact.contactId)?.get(segmentId);
      if (known !== undefined || moments.has(segmentId)) return known ?? [];
      const since = memberSince(contact.membership, segmentId);
      return since === null ? [] : [{ from: Date.parse(since), to: null }];
    });
  }

  /** The same with stays that the caller knows. */
  async factsWith(
    contacts: readonly AskedContact[],
    rule: Rule,
    now: Date,
    staysIn: (contact: AskedContact, segmentId: string) => readonly Membership[],
  ): Promise<readonly ContactFacts[]> {
    const needed = contacts.map(({ facts }) => bucketIds(facts, bucketsNeeded(rule, facts, now.getTime())));
    const buckets = await this.buckets.load(needed.flat());
    return contacts.map((contact, n) => {
      const own = (needed[n] ?? []).flatMap((id) => buckets.get(id) ?? []);
      const stays = (segmentId: string) => staysIn(contact, segmentId);
      return new BucketedFacts(contact.facts, own, stays, BigInt(contact._position));
    });
  }

  /** Of the last event that is in a contact's document; null: there is none. */
  async positionOf(contactId: string): Promise<bigint | null> {
    const projection = { _position: 1 };
    const found = await available(() =>
      this.contacts.findOne({ _id: contactId }, { projection, maxTimeMS: QUERY_TIME_MAX_MS }),
    );
    return found === null ? null : BigInt(found._position);
  }

  /** A contact's stays in a segment, oldest first. */
  staysWithCauses(contactId: string, segmentId: string): Promise<readonly StayDocument[]> {
    return available(() =>
      this.stays
        .find({ contactId, segmentId }, { sort: { from: 1 }, maxTimeMS: QUERY_TIME_MAX_MS })
        .toArray(),
    );
  }

  /**
   * All stays in some segments; with `at`, those that had begun by then, as they were then; likewise, of single segments, with
   * a moment.
   */
  async staysOf(
    contactIds: readonly string[],
    segmentIds: readonly string[],
    at?: string,
    moments: ReadonlyMap<string, Moment> = new Map(),
  ): Promise<StaysByContact> {
    const found = new Map<string, Map<string, Membership[]>>();
    if (segmentIds.length === 0 || contactIds.length === 0) return found;
    const asked = {
      contactId: { $in: [...contactIds] },
      segmentId: { $in: [...segmentIds] },
      ...(at !== undefined && { from: { $lte: at } }),
    };
    const stays = await available(() =>
      this.stays.find(asked, { sort: { contactId: 1, from: 1 }, maxTimeMS: QUERY_TIME_MAX_MS }).toArray(),
    );
    for (const stored of stays) {
      const moment = moments.get(stored.segmentId);
      const shown = moment === undefined ? stored : stayAt(stored, moment);
      if (shown === null) continue;
      const { contactId, segmentId, from, to } = shown;
      const segments = found.get(contactId) ?? new Map<string, Membership[]>();
      found.set(contactId, segments);
      const ended = to === null || (at !== undefined && to > at) ? null : Date.parse(to);
      const known = segments.get(segmentId);
      const stay = { from: Date.parse(from), to: ended };
      if (known === undefined) segments.set(segmentId, [stay]);
      else known.push(stay);
    }
    return found;
  }
}

/** Segments of which a rule asks for more than whether the contact is in now. */
const pastAsked = ({ root }: Rule): readonly string[] => {
  if (isRanked(root)) return [];
  const ids = leavesOf(root).flatMap((leaf) =>
    'segment' in leaf && leaf.op !== 'in' && leaf.op !== 'notIn' ? [leaf.segment] : [],
  );
  return [...new Set(ids)];
};
