import { Inject, Injectable } from '@nestjs/common';
import { collectionOf, READ_DB } from '@app/read-store';
import type { Collection, Db } from 'mongodb';
import { rewardsProjection, type RewardDocument } from './rewards.projection';

type Stored = RewardDocument & { _id: string };

const QUERY_TIME_MAX_MS = 10_000;

/** Where a page begins: behind the reward that the page before ended with. */
export type AfterReward = Readonly<{ createdAt: string; rewardId: string }>;

/** The reward documents, as questions and the settling of stock ask for them. */
@Injectable()
export class RewardReads {
  private readonly rewards: Collection<Stored>;

  constructor(@Inject(READ_DB) db: Db) {
    this.rewards = db.collection<Stored>(collectionOf(rewardsProjection));
  }

  find(rewardId: string): Promise<RewardDocument | null> {
    return this.rewards.findOne({ _id: rewardId }, { maxTimeMS: QUERY_TIME_MAX_MS });
  }

  /** At most `limit` rewards, oldest first. */
  page(after: AfterReward | null, limit: number): Promise<RewardDocument[]> {
    const behind =
      after === null
        ? {}
        : {
            createdAt: { $gte: after.createdAt },
            $or: [{ createdAt: { $gt: after.createdAt } }, { _id: { $gt: after.rewardId } }],
          };
    return this.rewards
      .find(behind, { sort: { createdAt: 1, _id: 1 }, limit, maxTimeMS: QUERY_TIME_MAX_MS })
      .toArray();
  }

  count(): Promise<number> {
    return this.rewards.countDocuments({}, { maxTimeMS: QUERY_TIME_MAX_MS });
  }

  /** At most `limit` rewards whose stock has something open that was due before `instant`. */
  withOpenStock(instant: string, limit: number): Promise<RewardDocument[]> {
    return this.rewards
      .find({ settleAt: { $lt: instant } }, { sort: { settleAt: 1 }, limit, maxTimeMS: QUERY_TIME_MAX_MS })
      .toArray();
  }
}
