import { Command } from '@nestjs/cqrs';
import type { CommandContext, Outcome } from '@app/kernel';
import type { ProfilePatch } from '../../domain/contact.events';

/** Changes the fields of the profile that the patch (RFC 7396) names. */
export class ChangeContactDetailsCommand extends Command<Outcome<{ contactId: string }>> {
  constructor(
    readonly contactId: string,
    readonly patch: ProfilePatch,
    readonly context: CommandContext,
  ) {
    super();
  }
}
