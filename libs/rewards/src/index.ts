import { rewardsProjection } from './read-models/catalogue/rewards.projection';

export { rewardDecider } from './domain/reward.decider';
export { rewardEventDefinitions, rewardStream } from './domain/reward.events';
export type * from './domain/reward.events';
export { RewardAudience } from './application/reward-audience.port';
export { RewardStock } from './application/reward-stock';
export { RewardReads } from './read-models/catalogue/mongo.reward-reads';
export { settleOpenStock } from './automation/when-stock-is-open-then-settle';
export { RewardsModule } from './rewards.module';

/** What the projector folds for this context. */
export const rewardsReadModels = { projections: [rewardsProjection], journals: [] } as const;
