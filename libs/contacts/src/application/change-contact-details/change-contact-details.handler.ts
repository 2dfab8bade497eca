import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { DecisionRunner } from '@app/event-store';
import type { Outcome } from '@app/kernel';
import { contactDecider } from '../../domain/contact.decider';
import { EmailClaimLostError } from '../../domain/contact.errors';
import { contactStream } from '../../domain/contact.events';
import type { EmailClaim } from '../../domain/email-claims.decisions';
import { ContactDecisions } from '../contact-decisions';
import { EmailClaimer } from '../email-claims/email-claimer';
import { EmailHash } from '../email-claims/email-hash';
import { ChangeContactDetailsCommand } from './change-contact-details.command';

@CommandHandler(ChangeContactDetailsCommand)
export class ChangeContactDetailsHandler implements ICommandHandler<ChangeContactDetailsCommand> {
  constructor(
    private readonly runner: DecisionRunner,
    private readonly decisions: ContactDecisions,
    private readonly claimer: EmailClaimer,
    private readonly emailHash: EmailHash,
  ) {}

  async execute(command: ChangeContactDetailsCommand): Promise<Outcome<{ contactId: string }>> {
    const { contactId, context, patch } = command;
    const { email } = patch;
    if (typeof email !== 'string') return this.change(command);
    const hash = this.emailHash.of(email);
    const { state } = await this.runner.read(contactDecider, contactStream(contactId));
    const mayNeedNoClaim = state.status === 'unknown' || state.emailClaim === hash;
    try {
      if (mayNeedNoClaim) return await this.change(command, { hash });
    } catch (error) {
      // The contact's e-mail changed in between.
      if (!(error instanceof EmailClaimLostError)) throw error;
    }
    return this.claimer.underClaim(hash, contactId, context, (claimId) =>
      this.change(command, { hash, claimId }),
    );
  }

  private change(
    { contactId, patch, context }: ChangeContactDetailsCommand,
    emailClaim?: EmailClaim,
  ): Promise<Outcome<{ contactId: string }>> {
    return this.decisions.run(
      { type: 'ChangeContactDetails', contactId, now: context.now, patch, emailClaim },
      context,
      { patch },
    );
  }
}
