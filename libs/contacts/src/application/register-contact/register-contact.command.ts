import { Command } from '@nestjs/cqrs';
import type { CommandContext, Outcome } from '@app/kernel';
import type { ContactSource, Profile } from '../../domain/contact.events';
import type { ConsentChoice } from '../../domain/consents.decisions';

export type Registration = Readonly<{
  profile: Profile;
  registeredAt?: string | undefined;
  consents?: readonly ConsentChoice[] | undefined;
  invitationCode?: string | undefined;
}>;

/** Takes in a new contact. `contactId`: new, or derived from the command's id. */
export class RegisterContactCommand extends Command<Outcome<{ contactId: string }>> {
  constructor(
    readonly contactId: string,
    readonly source: ContactSource,
    readonly registration: Registration,
    readonly context: CommandContext,
  ) {
    super();
  }
}
