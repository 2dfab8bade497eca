import { Inject, Injectable } from '@nestjs/common';
import { available, collectionOf, READ_DB } from '@app/read-store';
import { dependenciesOf } from '@app/rules';
import type { Collection, Db, Filter } from 'mongodb';
import { segmentsProjection, type SegmentDocument } from '../segments/segments.projection';
import { earlierOf, type Moment } from './moment';

/** What is read of a change; see DefinitionChange. */
type ChangeRow = { _id: bigint; segmentId: string; at: string };

/** What is read of a segment. */
type SegmentRow = Pick<SegmentDocument, 'rule'> & { _id: string };

const CHANGES = 'definition_changes_v1';
const QUERY_TIME_MAX_MS = 10_000;

/**
 * Changes of definitions that are not applied to everybody. They are written before anybody's stay is changed by one, so who
 * asks before and after reading stays knows whether he saw half of one. Throws ReadStoreUnavailableError.
 */
@Injectable()
export class PendingChanges {
  private readonly changes: Collection<ChangeRow>;
  private readonly segments: Collection<SegmentRow>;

  constructor(@Inject(READ_DB) db: Db) {
    this.changes = db.collection<ChangeRow>(CHANGES);
    this.segments = db.collection<SegmentRow>(collectionOf(segmentsProjection));
  }

  /** Of each of some segments that has a change behind a position: the moment before the first such one. */
  after(filledAt: bigint, segmentIds: readonly string[]): Promise<ReadonlyMap<string, Moment>> {
    return this.found({ _id: { $gt: filledAt }, segmentId: { $in: [...segmentIds] } });
  }

  /**
   * Of each of some segments (null: of all) whose members a change behind a position may move, by its own rule or by one that
   * it refers to, however indirectly: the moment before the first such change.
   */
  async reached(
    filledAt: bigint,
    segmentIds: readonly string[] | null,
  ): Promise<ReadonlyMap<string, Moment>> {
    const found = new Map(await this.found({ _id: { $gt: filledAt } }));
    if (found.size === 0) return found;
    const referrers = await this.referrers();
    for (const queue = [...found.keys()]; queue.length > 0;) {
      const id = queue.shift() as string;
      const moment = found.get(id) as Moment;
      for (const referrer of referrers.get(id) ?? []) {
        const known = found.get(referrer);
        const first = known === undefined ? moment : earlierOf(known, moment);
        if (first === known) continue;
        found.set(referrer, first);
        queue.push(referrer);
      }
    }
    return segmentIds === null ? found : new Map([...found].filter(([id]) => segmentIds.includes(id)));
  }

  /** By segment, those whose rules name it. */
  private async referrers(): Promise<ReadonlyMap<string, readonly string[]>> {
    const rows = await available(() =>
      this.segments.find({}, { projection: { rule: 1 }, maxTimeMS: QUERY_TIME_MAX_MS }).toArray(),
    );
    const referrers = new Map<string, string[]>();
    for (const { _id, rule } of rows) {
      if (!rule) continue;
      for (const id of dependenciesOf(rule).segments) referrers.set(id, [...(referrers.get(id) ?? []), _id]);
    }
    return referrers;
  }

  private async found(filter: Filter<ChangeRow>): Promise<ReadonlyMap<string, Moment>> {
    const found = await available(() =>
      this.changes
        .find(filter, { sort: { _id: 1 }, projection: { segmentId: 1, at: 1 }, maxTimeMS: QUERY_TIME_MAX_MS })
        .toArray(),
    );
    const first = new Map<string, Moment>();
    for (const { _id, segmentId, at } of found) {
      if (!first.has(segmentId)) first.set(segmentId, { at, position: _id - 1n });
    }
    return first;
  }

  /** The last change in `(after, upTo]`; null: there is none. */
  async lastIn(after: bigint, upTo: bigint): Promise<bigint | null> {
    const [last] = await available(() =>
      this.changes
        .find(
          { _id: { $gt: after, $lte: upTo } },
          { sort: { _id: -1 }, limit: 1, projection: { _id: 1 }, maxTimeMS: QUERY_TIME_MAX_MS },
        )
        .toArray(),
    );
    return last?._id ?? null;
  }
}
