import { Command } from '@nestjs/cqrs';
import type { Channel, MessageContent } from '@app/contacts';
import type { CommandContext, Outcome } from '@app/kernel';

export type Message = Readonly<{
  channel: Channel;
  /** `service`, or one that the contact has consented to. */
  purpose: string;
  templateId?: string | undefined;
  content: MessageContent;
}>;

/** Sends one message to one contact. */
export class SendMessageCommand extends Command<Outcome<{ messageId: string; channel: Channel }>> {
  constructor(
    readonly contactId: string,
    readonly message: Message,
    readonly context: CommandContext,
  ) {
    super();
  }
}
