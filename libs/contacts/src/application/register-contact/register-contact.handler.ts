import { randomUUID } from 'node:crypto';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { DecisionRunner } from '@app/event-store';
import { newEntityId } from '@app/http';
import type { Outcome } from '@app/kernel';
import { contactDecider, type ContactCommand } from '../../domain/contact.decider';
import { contactStream } from '../../domain/contact.events';
import type { EmailClaim } from '../../domain/email-claims.decisions';
import { ContactDecisions } from '../contact-decisions';
import { EmailClaimer } from '../email-claims/email-claimer';
import { EmailHash } from '../email-claims/email-hash';
import { isRefusal } from '../refusal';
import { ownContext } from '../system-context';
import { RegisterContactCommand } from './register-contact.command';
import { UnknownInvitationError } from './unknown-invitation.error';

@CommandHandler(RegisterContactCommand)
export class RegisterContactHandler implements ICommandHandler<RegisterContactCommand> {
  constructor(
    private readonly decisions: ContactDecisions,
    private readonly runner: DecisionRunner,
    private readonly claimer: EmailClaimer,
    private readonly emailHash: EmailHash,
  ) {}

  async execute(command: RegisterContactCommand): Promise<Outcome<{ contactId: string }>> {
    const { contactId, context, registration } = command;
    // Nobody has been invited yet.
    if (registration.invitationCode !== undefined) throw new UnknownInvitationError();
    const keyedId = newEntityId(context, 'contact');
    if (!context.repeatable || contactId === keyedId) return this.claimAndRegister(command);
    return this.underDirection(keyedId, command);
  }

  /**
   * A key remembers what it was used with on the stream of what it created: where that is an id of the client's own, a second
   * use with another id would not find it. So the stream of the contact that the key alone would have made says where to look.
   * What it says stands, also after a crash, unless every attempt was refused. Throws KeyUsedForAnotherError.
   */
  private async underDirection(
    keyedId: string,
    command: RegisterContactCommand,
  ): Promise<Outcome<{ contactId: string }>> {
    const { contactId, context } = command;
    const { state } = await this.runner.read(contactDecider, contactStream(contactId));
    // It has said all that it will ever say to this registration.
    if (state.status !== 'unknown') return this.claimAndRegister(command);
    const attemptId = randomUUID();
    const { now } = context;
    const { command: _, ...beside } = ownContext(context, 'RegisterContact');
    const note = (noted: ContactCommand) => this.decisions.run(noted, beside, {});
    await note({ type: 'DirectRegistration', contactId: keyedId, registeredId: contactId, attemptId, now });
    try {
      return await this.claimAndRegister(command);
    } catch (error) {
      if (isRefusal(error)) await note({ type: 'WithdrawRegistration', contactId: keyedId, attemptId, now });
      throw error;
    }
  }

  private claimAndRegister(command: RegisterContactCommand): Promise<Outcome<{ contactId: string }>> {
    const { contactId, context, registration } = command;
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
