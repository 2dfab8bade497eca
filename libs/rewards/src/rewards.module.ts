import { Module } from '@nestjs/common';
import { CancelRedemptionHandler } from './application/cancel-redemption/cancel-redemption.handler';
import {
  ChangeRewardHandler,
  CreateRewardHandler,
  DeactivateRewardHandler,
} from './application/manage-rewards/manage-reward.handlers';
import { RedeemRewardHandler } from './application/redeem-reward/redeem-reward.handler';
import { RewardStock } from './application/reward-stock';
import { RedemptionsController, RewardsController } from './http/rewards.controller';
import { GetRewardHandler, ListRewardsHandler } from './read-models/catalogue/catalogue.handlers';
import { RewardReads } from './read-models/catalogue/mongo.reward-reads';

/** The reward catalogue and redemptions, for the api. */
@Module({
  controllers: [RewardsController, RedemptionsController],
  providers: [
    RewardReads,
    RewardStock,
    CreateRewardHandler,
    ChangeRewardHandler,
    DeactivateRewardHandler,
    RedeemRewardHandler,
    CancelRedemptionHandler,
    GetRewardHandler,
    ListRewardsHandler,
  ],
})
export class RewardsModule {}
