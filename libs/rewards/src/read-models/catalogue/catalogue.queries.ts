import { Query } from '@nestjs/cqrs';
import type { RewardView } from './reward-view';

/** `revision`: of the reward's own stream. */
export type RewardAnswer = RewardView & Readonly<{ revision: number; asOfPosition: string }>;
export type RewardPage = Readonly<{
  items: readonly RewardView[];
  nextCursor: string | null;
  total?: number;
  asOfPosition: string;
}>;

export class GetRewardQuery extends Query<RewardAnswer> {
  constructor(
    readonly rewardId: string,
    readonly minPosition?: bigint,
  ) {
    super();
  }
}

/** The catalogue, oldest reward first. */
export class ListRewardsQuery extends Query<RewardPage> {
  constructor(
    readonly limit: number,
    readonly cursor: string | undefined,
    readonly count: boolean,
    readonly minPosition?: bigint,
  ) {
    super();
  }
}
