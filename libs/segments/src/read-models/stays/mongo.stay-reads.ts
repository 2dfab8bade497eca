import { Inject, Injectable } from '@nestjs/common';
import { available, READ_DB } from '@app/read-store';
import type { StoreFilter } from '@app/rules';
import type { Collection, Db, Document, FindOptions } from 'mongodb';
import { STAYS, type StayDocument } from '../segmented-contact';
import { begunBy, endedBy, standingAt, type Moment } from './moment';

type Stored = StayDocument & { _id: string };

const QUERY_TIME_MAX_MS = 10_000;
/** Documents that one answer of the store carries where a whole stretch is walked. */
const WALK_BATCH = 1_000;

/** Pages of a past instant are walked in the order of contacts, whatever else the store thinks of. */
const BY_CONTACT = { segmentId: 1, contactId: 1, from: 1 } as const;

/** Half-open: `[from, to)`; null: without end. */
export type Range = Readonly<{ from: string; to: string | null }>;

/** Behind the changes of one contact at one instant, or at them. */
export type ChangePlace = Readonly<{ at: string; contactId: string }>;

/** Where a page of a contact's stays begins: behind this one. */
export type AfterStay = Readonly<{ from: string; id: string }>;

/** When people came or went. */
type Edge = 'opens' | 'closes';
const TIME_OF = { opens: 'from', closes: 'to' } as const;

/**
 * Stays, as questions ask for them; each from an index, and none with more in memory than a page. `moment`: as they were
 * then, null: as they are. Throws ReadStoreUnavailableError where the same again may succeed.
 */
@Injectable()
export class StayReads {
  private readonly stays: Collection<Stored>;

  constructor(@Inject(READ_DB) db: Db) {
    this.stays = db.collection<Stored>(STAYS);
  }

  /** How many are in. What began less what ended: of the past neither changes while it is counted. */
  async count(segmentId: string, moment: Moment | null): Promise<number> {
    if (moment === null) return this.counted({ segmentId, to: null });
    const begun = await this.counted({ segmentId, ...begunBy(moment) });
    return begun - (await this.counted({ segmentId, ...endedBy(moment) }));
  }

  /** At most `limit` stays of those who are in, by contact, behind one; each contact once. */
  async page(
    segmentId: string,
    moment: Moment | null,
    afterContactId: string | null,
    limit: number,
  ): Promise<StayDocument[]> {
    const { filter, options } = membersOf(segmentId, moment, afterContactId);
    return available(() => this.stays.find(filter, { ...options, limit, batchSize: limit + 1 }).toArray());
  }

  /** Of everybody who is in, in ascending order. */
  async *contactIds(segmentId: string, moment: Moment | null): AsyncGenerator<string> {
    const { filter, options } = membersOf(segmentId, moment, null);
    const projection = { _id: 0, contactId: 1 };
    for await (const { contactId } of this.walk(filter, { ...options, projection })) yield contactId;
  }

  /** A contact's stays, those that began last first, each with its id. */
  async ofContact(contactId: string, after: AfterStay | null, limit: number): Promise<Stored[]> {
    const found: Stored[] = [];
    const stretches: StoreFilter[] =
      after === null
        ? [{ contactId }]
        : [
            { contactId, from: after.from, _id: { $lt: after.id } },
            { contactId, from: { $lt: after.from } },
          ];
    for (const filter of stretches) {
      const left = limit - found.length;
      if (left <= 0) break;
      const options = { sort: { from: -1, _id: -1 }, limit: left, batchSize: left + 1 } as const;
      found.push(
        ...(await available(() => this.stays.find(filter as Document, { ...bounded, ...options }).toArray())),
      );
    }
    return found;
  }

  /** All stays of some contacts in some segments, in no order. */
  async ofContacts(contactIds: readonly string[], segmentIds: readonly string[]): Promise<StayDocument[]> {
    const filter = { contactId: { $in: [...contactIds] }, segmentId: { $in: [...segmentIds] } };
    return available(() => this.stays.find(filter, { ...bounded, projection: { _id: 0 } }).toArray());
  }

  /** Stays by when they opened or closed, then by contact, from a place on; none of a first fill. */
  async *inOrder(
    edge: Edge,
    segmentId: string,
    { from, to }: Range,
    moment: Moment | null,
    start: ChangePlace | null,
  ): AsyncGenerator<StayDocument> {
    const time = TIME_OF[edge];
    const until = to === null ? {} : { $lt: to };
    const stretches: StoreFilter[] =
      start === null
        ? [{ [time]: { $gte: from, ...until } }]
        : [
            { [time]: start.at, contactId: { $gte: start.contactId } },
            { [time]: { $gt: start.at, ...until } },
          ];
    for (const stretch of stretches) {
      const parts = [{ segmentId, ...stretch }, ...happened(edge, moment)];
      if (edge === 'opens') parts.push({ 'causeIn.kind': { $ne: 'initial' } });
      yield* this.walk({ $and: parts }, { sort: { [time]: 1, contactId: 1 }, projection: { _id: 0 } });
    }
  }

  /** The instants in `(after, upTo]` at which somebody came or went, ascending, once for each. */
  async *instants(
    edge: Edge,
    segmentId: string,
    { after, upTo }: Readonly<{ after: string; upTo: string }>,
    moment: Moment | null,
  ): AsyncGenerator<string> {
    const time = TIME_OF[edge];
    const filter = { $and: [{ segmentId, [time]: { $gt: after, $lte: upTo } }, ...happened(edge, moment)] };
    const options = { sort: { [time]: 1, contactId: 1 }, projection: { _id: 0, [time]: 1 } } as const;
    for await (const stay of this.walk(filter, options)) yield stay[time] as string;
  }

  private counted(filter: StoreFilter): Promise<number> {
    return available(() => this.stays.countDocuments(filter as Document, bounded));
  }

  private async *walk(filter: StoreFilter, options: FindOptions): AsyncGenerator<StayDocument> {
    const cursor = this.stays.find(filter as Document, { ...bounded, batchSize: WALK_BATCH, ...options });
    try {
      for (;;) {
        const next = await available(() => cursor.next());
        if (next === null) return;
        yield next;
      }
    } finally {
      await cursor.close();
    }
  }
}

const bounded = { maxTimeMS: QUERY_TIME_MAX_MS } as const;

/** Who is in: a filter, and how it is walked. */
export const membersOf = (
  segmentId: string,
  moment: Moment | null,
  afterContactId: string | null,
): Readonly<{ filter: Document; options: FindOptions }> => {
  const of = { segmentId, ...(afterContactId !== null && { contactId: { $gt: afterContactId } }) };
  const sort = { contactId: 1 } as const;
  return moment === null
    ? { filter: { ...of, to: null }, options: { ...bounded, sort } }
    : { filter: { ...of, ...standingAt(moment) }, options: { ...bounded, sort, hint: { ...BY_CONTACT } } };
};

const happened = (edge: Edge, moment: Moment | null): StoreFilter[] => {
  if (moment === null) return [];
  return [edge === 'opens' ? begunBy(moment) : endedBy(moment)];
};
