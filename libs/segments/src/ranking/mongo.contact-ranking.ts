import { Inject, Injectable, Optional } from '@nestjs/common';
import { contactsProjection } from '@app/contacts';
import { available, collectionOf, READ_DB } from '@app/read-store';
import { isRanked, rankingFigure, type RankedNode, type Rule } from '@app/rules';
import type { Collection, Db, Filter } from 'mongodb';
import { BucketedFacts } from '../facts/bucketed.facts';
import { bucketsNeeded } from '../facts/buckets-needed';
import { bucketIds } from '../facts/facts.document';
import { FactBuckets } from '../read-models/mongo.fact-buckets';
import type { SegmentedContact } from '../read-models/segmented-contact';
import { Largest } from './largest';

type Stored = SegmentedContact & { _id: string; _position: bigint };

/** `cutOff`: the figure of the last who is in; null: there is nobody to rank. All that are at or above it are counted. */
export type Ranking = Readonly<{ cutOff: number | null; membersCount: number }>;

const QUERY_TIME_MAX_MS = 30_000;
const BATCH = 500;

/**
 * Ranks all contacts by a figure, but for those who are erased or object to profiling. Figures without a window are read off
 * the index of their column; all others are worked out contact by contact, with no more than the ranks in memory.
 */
@Injectable()
export class ContactRanking {
  private readonly contacts: Collection<Stored>;

  constructor(
    @Inject(READ_DB) db: Db,
    private readonly buckets: FactBuckets,
    @Optional() private readonly options: Readonly<{ batchSize?: number }> = {},
  ) {
    this.contacts = db.collection<Stored>(collectionOf(contactsProjection));
  }

  /** Throws ReadStoreUnavailableError. */
  async rank(rule: Rule, now: Date): Promise<Ranking> {
    if (!isRanked(rule.root)) throw new TypeError('Only a ranked rule ranks.');
    const ranked = ranks(now);
    const total = await this.count(ranked);
    if (total === 0) return { cutOff: null, membersCount: 0 };
    const { ranked: ranking } = rule.root;
    const rank = 'top' in ranking ? ranking.top : Math.ceil((total * ranking.topPercent) / 100);
    const column = columnOf(rule.root);
    return column === null
      ? this.byFacts(rule, ranked, rank, now)
      : this.byColumn(column, ranked, rank, total);
  }

  /** Who has no figure there has 0, and nobody has less. */
  private async byColumn(
    column: string,
    ranked: Filter<Stored>,
    rank: number,
    total: number,
  ): Promise<Ranking> {
    const above: Filter<Stored> = { ...ranked, [column]: { $gt: 0 } };
    const aboveCount = await this.count(above);
    if (rank > aboveCount && aboveCount < total) return { cutOff: 0, membersCount: total };
    const [last] = await available(() =>
      this.contacts
        .find(above, {
          projection: { [column]: 1 },
          sort: { [column]: -1, _id: -1 },
          skip: Math.min(rank, aboveCount) - 1,
          limit: 1,
          maxTimeMS: QUERY_TIME_MAX_MS,
        })
        .toArray(),
    );
    const cutOff = figureAt(last, column);
    // Between the two questions somebody may have got less.
    if (cutOff === null) return { cutOff: 0, membersCount: total };
    return { cutOff, membersCount: await this.count({ ...ranked, [column]: { $gte: cutOff } }) };
  }

  private async byFacts(rule: Rule, ranked: Filter<Stored>, rank: number, now: Date): Promise<Ranking> {
    const largest = new Largest(rank);
    const size = this.options.batchSize ?? BATCH;
    let after = '';
    for (;;) {
      const batch = await this.batch(ranked, after, size);
      for (const figure of await this.figures(rule, batch, now)) if (figure !== null) largest.add(figure);
      const last = batch.at(-1);
      if (last === undefined || batch.length < size) break;
      after = last._id;
    }
    const found = largest.result();
    return { cutOff: found?.figure ?? null, membersCount: found?.count ?? 0 };
  }

  private batch(ranked: Filter<Stored>, after: string, size: number): Promise<Stored[]> {
    return available(() =>
      this.contacts
        .find(
          { ...ranked, _id: { $gt: after }, facts: { $exists: true } },
          {
            projection: { facts: 1, _position: 1 },
            sort: { _id: 1 },
            limit: size,
            batchSize: size + 1,
            maxTimeMS: QUERY_TIME_MAX_MS,
          },
        )
        .toArray(),
    );
  }

  private async figures(
    rule: Rule,
    batch: readonly Stored[],
    now: Date,
  ): Promise<readonly (number | null)[]> {
    const needed = batch.map(({ facts }) => bucketIds(facts, bucketsNeeded(rule, facts, now.getTime())));
    const buckets = await this.buckets.load(needed.flat());
    return batch.map(({ facts, _position }, n) => {
      const own = (needed[n] ?? []).flatMap((id) => buckets.get(id) ?? []);
      return rankingFigure(rule, new BucketedFacts(facts, own, () => [], BigInt(_position)), now);
    });
  }

  private count(filter: Filter<Stored>): Promise<number> {
    return available(() => this.contacts.countDocuments(filter, { maxTimeMS: QUERY_TIME_MAX_MS }));
  }
}

/** Who is ranked: whoever can be in what a rule decides. */
const ranks = (now: Date): Filter<Stored> => ({
  erasure: { $exists: false },
  profilingObjected: { $exists: false },
  registeredAt: { $lte: now.toISOString() },
});

/** Where contact documents keep a figure over the whole history; null: they do not. */
const columnOf = ({ ranked: { by, pool, currency, window } }: RankedNode): string | null => {
  if (window !== undefined && !('ever' in window)) return null;
  switch (by) {
    case 'points.balance':
      return `points.${pool}`;
    case 'purchases.spend':
      return `spend.${currency}`;
    case 'purchases.count':
      return 'counts.purchases';
    case 'checkIns.count':
      return 'counts.checkIns';
    case 'redemptions.count':
      return 'counts.redemptions';
    case 'messages.count':
      return 'counts.messages';
    default:
      return null;
  }
};

const figureAt = (document: Stored | undefined, column: string): number | null => {
  const [group = '', name = ''] = column.split('.');
  const figures = (document as unknown as Record<string, Record<string, number>> | undefined)?.[group];
  return figures?.[name] ?? null;
};
