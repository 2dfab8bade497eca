import { randomUUID } from 'node:crypto';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { contactDecider, contactStream, registered, type Channel } from '@app/contacts';
import { DecisionRunner } from '@app/event-store';
import type { Outcome } from '@app/kernel';
import { SendMessageCommand } from './send-message.command';
import { NoGatewayError, UnknownTemplateError } from './send-message.errors';

/** A message to the inbox is delivered by being recorded: the app reads it from there. */
@CommandHandler(SendMessageCommand)
export class SendMessageHandler implements ICommandHandler<SendMessageCommand> {
  constructor(private readonly decisions: DecisionRunner) {}

  async execute({
    contactId,
    message,
    context,
  }: SendMessageCommand): Promise<Outcome<{ messageId: string; channel: Channel }>> {
    if (message.channel !== 'inbox' || message.templateId !== undefined) {
      // Whoever was erased, or restricted processing, comes before what cannot be sent to anybody.
      registered((await this.decisions.read(contactDecider, contactStream(contactId))).state);
      if (message.channel !== 'inbox') throw new NoGatewayError(message.channel);
      // Nobody has written a template yet.
      throw new UnknownTemplateError();
    }
    return this.decisions.run(
      contactDecider,
      contactStream(contactId),
      { type: 'SendMessage', contactId, now: context.now, messageId: randomUUID(), ...message },
      context,
      { payload: message },
    ) as Promise<Outcome<{ messageId: string; channel: Channel }>>;
  }
}
