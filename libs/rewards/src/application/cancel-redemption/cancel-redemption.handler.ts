import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { contactDecider, contactStream, type CancellationAnswer } from '@app/contacts';
import { DecisionRunner } from '@app/event-store';
import type { Outcome } from '@app/kernel';
import { RewardStock } from '../reward-stock';
import { CancelRedemptionCommand } from './cancel-redemption.command';

/** A crash between the two steps leaves the piece owed; the settling of open stock gives it back. */
@CommandHandler(CancelRedemptionCommand)
export class CancelRedemptionHandler implements ICommandHandler<CancelRedemptionCommand> {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly stock: RewardStock,
  ) {}

  async execute({
    contactId,
    redemptionId,
    context,
  }: CancelRedemptionCommand): Promise<Outcome<CancellationAnswer>> {
    const command = { type: 'CancelRedemption', contactId, redemptionId, now: context.now } as const;
    const outcome = (await this.decisions.run(
      contactDecider,
      contactStream(contactId),
      command,
      context,
    )) as Outcome<CancellationAnswer>;
    await this.stock.giveBack(outcome.answer.rewardId, { contactId, redemptionId }, context);
    return outcome;
  }
}
