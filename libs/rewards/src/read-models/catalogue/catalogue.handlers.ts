import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { CursorCodec } from '@app/http';
import { ReadGate } from '@app/read-store';

import { GetRewardQuery, ListRewardsQuery, type RewardAnswer, type RewardPage } from './catalogue.queries';
import { RewardReads } from './mongo.reward-reads';
import { RewardNotShownError } from './reward-not-shown.error';
import { rewardView } from './reward-view';

const BINDING = 'rewards';

@QueryHandler(GetRewardQuery)
export class GetRewardHandler implements IQueryHandler<GetRewardQuery> {
  constructor(
    private readonly rewards: RewardReads,
    private readonly gate: ReadGate,
  ) {}

  /** Throws RewardNotShownError. */
  async execute({ rewardId, minPosition }: GetRewardQuery): Promise<RewardAnswer> {
    const asOfPosition = await this.gate.wait(minPosition);
    const reward = await this.rewards.find(rewardId);
    if (reward === null) throw new RewardNotShownError();
    return { ...rewardView(reward), revision: reward.revision, asOfPosition: asOfPosition.toString() };
  }
}

@QueryHandler(ListRewardsQuery)
export class ListRewardsHandler implements IQueryHandler<ListRewardsQuery> {
  constructor(
    private readonly rewards: RewardReads,
    private readonly gate: ReadGate,
    private readonly cursors: CursorCodec,
  ) {}

  /** Throws InvalidCursorError. */
  async execute({ limit, cursor, count, minPosition }: ListRewardsQuery): Promise<RewardPage> {
    const after = cursor === undefined ? null : this.cursors.decode(cursor, BINDING);
    const asOfPosition = await this.gate.wait(minPosition);
    const [found, total] = await Promise.all([
      this.rewards.page(
        after && { createdAt: String(after[0]), rewardId: String(after[1]) },
        // One more than asked tells whether there is a next page.
        limit + 1,
      ),
      count ? this.rewards.count() : undefined,
    ]);
    const rows = found.slice(0, limit);
    const last = rows.at(-1);
    return {
      items: rows.map(rewardView),
      nextCursor:
        found.length > limit && last ? this.cursors.encode([last.createdAt, last.rewardId], BINDING) : null,
      ...(total === undefined ? {} : { total }),
      asOfPosition: asOfPosition.toString(),
    };
  }
}
