import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Outcome } from '@app/kernel';
import { ContactDecisions } from '../contact-decisions';
import { SetConsentCommand } from './set-consent.command';

@CommandHandler(SetConsentCommand)
export class SetConsentHandler implements ICommandHandler<SetConsentCommand> {
  constructor(private readonly decisions: ContactDecisions) {}

  execute({
    contactId,
    choice,
    context,
  }: SetConsentCommand): Promise<Outcome<{ purpose: string; granted: boolean }>> {
    return this.decisions.run({ type: 'SetConsent', contactId, now: context.now, choice }, context, {
      choice,
    });
  }
}
