import { Command } from '@nestjs/cqrs';
import type { RedemptionAnswer } from '@app/contacts';
import type { CommandContext, Outcome } from '@app/kernel';

/** A contact pays a reward's price with points and takes a piece of its stock. */
export class RedeemRewardCommand extends Command<Outcome<RedemptionAnswer>> {
  constructor(
    readonly contactId: string,
    readonly rewardId: string,
    readonly redemptionId: string,
    readonly context: CommandContext,
  ) {
    super();
  }
}
