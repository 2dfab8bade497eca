import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { DecisionRunner } from '@app/event-store';
import type { Outcome } from '@app/kernel';
import { rewardDecider, type RewardAnswer } from '../../domain/reward.decider';
import { InvalidTermsError } from '../../domain/reward.errors';
import { rewardStream, type RewardTerms } from '../../domain/reward.events';
import { RewardAudience } from '../reward-audience.port';
import { ChangeRewardCommand, CreateRewardCommand, DeactivateRewardCommand } from './manage-reward.command';

/** Throws InvalidTermsError. */
const assertAudience = async (
  audience: RewardAudience,
  { segmentId }: Partial<RewardTerms>,
): Promise<void> => {
  if (segmentId === undefined || segmentId === null || (await audience.exists(segmentId))) return;
  throw new InvalidTermsError('/segmentId', 'There is no such segment.');
};

@CommandHandler(CreateRewardCommand)
export class CreateRewardHandler implements ICommandHandler<CreateRewardCommand> {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly audience: RewardAudience,
  ) {}

  async execute({ rewardId, terms, context }: CreateRewardCommand): Promise<Outcome<RewardAnswer>> {
    await assertAudience(this.audience, terms);
    const command = { type: 'CreateReward', rewardId, terms, now: context.now } as const;
    return this.decisions.run(rewardDecider, rewardStream(rewardId), command, context, { fresh: true });
  }
}

@CommandHandler(ChangeRewardCommand)
export class ChangeRewardHandler implements ICommandHandler<ChangeRewardCommand> {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly audience: RewardAudience,
  ) {}

  async execute({ rewardId, terms, active, context }: ChangeRewardCommand): Promise<Outcome<RewardAnswer>> {
    await assertAudience(this.audience, terms);
    const change = { type: 'ChangeReward', rewardId, terms, now: context.now } as const;
    const command = active === undefined ? change : { ...change, active };
    return this.decisions.run(rewardDecider, rewardStream(rewardId), command, context);
  }
}

@CommandHandler(DeactivateRewardCommand)
export class DeactivateRewardHandler implements ICommandHandler<DeactivateRewardCommand> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute({ rewardId, context }: DeactivateRewardCommand): Promise<Outcome<RewardAnswer>> {
    const command = { type: 'DeactivateReward', rewardId, now: context.now } as const;
    return this.decisions.run(rewardDecider, rewardStream(rewardId), command, context);
  }
}
