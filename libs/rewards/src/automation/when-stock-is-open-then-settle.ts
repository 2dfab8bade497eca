import type { CommandContext } from '@app/kernel';
import type { RewardStock } from '../application/reward-stock';
import type { RewardReads } from '../read-models/catalogue/mongo.reward-reads';

const REWARDS_A_ROUND_MAX = 100;

/**
 * Settles what crashes have left open on rewards' stock: reservations past their deadline, pieces owed by cancelled
 * redemptions. Run it from time to time; rounds that overlap, in one process or in several, do no harm. Answers how many
 * redemptions it settled.
 */
export const settleOpenStock = async (
  rewards: RewardReads,
  stock: RewardStock,
  context: CommandContext,
): Promise<number> => {
  let settled = 0;
  for (const reward of await rewards.withOpenStock(context.now, REWARDS_A_ROUND_MAX)) {
    // What a slow round does not come to is the next one's.
    if (Date.now() >= context.deadlineMs) break;
    const { rewardId } = reward;
    for (const { deadline, ...held } of reward.reservations) {
      if (deadline >= context.now) continue;
      await stock.settle({ rewardId, ...held }, context);
      settled += 1;
    }
    for (const { contactId, redemptionId } of reward.owed) {
      await stock.giveBack(rewardId, { contactId, redemptionId }, context);
      settled += 1;
    }
  }
  return settled;
};
