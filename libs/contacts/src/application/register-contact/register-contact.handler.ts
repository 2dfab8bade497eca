import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Outcome } from '@app/kernel';
import type { EmailClaim } from '../../domain/email-claims.decisions';
import { ContactDecisions } from '../contact-decisions';
import { EmailClaimer } from '../email-claims/email-claimer';
import { EmailHash } from '../email-claims/email-hash';
import { RegisterContactCommand } from './register-contact.command';
import { UnknownInvitationError } from './unknown-invitation.error';

@CommandHandler(RegisterContactCommand)
export class RegisterContactHandler implements ICommandHandler<RegisterContactCommand> {
  constructor(
    private readonly decisions: ContactDecisions,
    private readonly claimer: EmailClaimer,
    private readonly emailHash: EmailHash,
  ) {}

  async execute(command: RegisterContactCommand): Promise<Outcome<{ contactId: string }>> {
    const { contactId, context, registration } = command;
    // Nobody has been invited yet.
    if (registration.invitationCode !== undefined) throw new UnknownInvitationError();
    const { email } = registration.profile;
    if (email === undefined) return this.register(command);
    const hash = this.emailHash.of(email);
    return this.claimer.underClaim(hash, contactId, context, (claimId) =>
      this.register(command, { hash, claimId }),
    );
  }

  private register(
    { contactId, source, registration, context }: RegisterContactCommand,
    emailClaim?: EmailClaim,
  ): Promise<Outcome<{ contactId: string }>> {
    const { profile, registeredAt, consents = [] } = registration;
    return this.decisions.run(
      {
        type: 'RegisterContact',
        contactId,
        now: context.now,
        source,
        profile,
        emailClaim,
        registeredAt,
        consents,
      },
      context,
      registration,
      { fresh: true },
    );
  }
}
