import { Command } from '@nestjs/cqrs';
import type { CommandContext, Outcome } from '@app/kernel';
import type { ConsentChoice } from '../../domain/consents.decisions';

/** Gives or withdraws a contact's consent to a purpose. */
export class SetConsentCommand extends Command<Outcome<{ purpose: string; granted: boolean }>> {
  constructor(
    readonly contactId: string,
    readonly choice: ConsentChoice,
    readonly context: CommandContext,
  ) {
    super();
  }
}
