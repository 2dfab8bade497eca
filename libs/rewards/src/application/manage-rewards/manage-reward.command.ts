import { Command } from '@nestjs/cqrs';
import type { CommandContext, Outcome } from '@app/kernel';
import type { RewardAnswer } from '../../domain/reward.decider';
import type { RewardTerms } from '../../domain/reward.events';

export class CreateRewardCommand extends Command<Outcome<RewardAnswer>> {
  constructor(
    readonly rewardId: string,
    readonly terms: RewardTerms,
    readonly context: CommandContext,
  ) {
    super();
  }
}

export class ChangeRewardCommand extends Command<Outcome<RewardAnswer>> {
  constructor(
    readonly rewardId: string,
    readonly terms: Partial<RewardTerms>,
    readonly active: boolean | undefined,
    readonly context: CommandContext,
  ) {
    super();
  }
}

export class DeactivateRewardCommand extends Command<Outcome<RewardAnswer>> {
  constructor(
    readonly rewardId: string,
    readonly context: CommandContext,
  ) {
    super();
  }
}
