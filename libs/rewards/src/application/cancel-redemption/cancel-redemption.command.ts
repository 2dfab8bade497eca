import { Command } from '@nestjs/cqrs';
import type { CancellationAnswer } from '@app/contacts';
import type { CommandContext, Outcome } from '@app/kernel';

/** The contact gets its points back, and the reward its piece. */
export class CancelRedemptionCommand extends Command<Outcome<CancellationAnswer>> {
  constructor(
    readonly contactId: string,
    readonly redemptionId: string,
    readonly context: CommandContext,
  ) {
    super();
  }
}
