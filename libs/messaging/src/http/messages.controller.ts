import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Channel } from '@app/contacts';
import { Access, Context, UuidParam } from '@app/http';
import type { CommandContext, Outcome } from '@app/kernel';
import { SendMessageCommand } from '../application/send-message/send-message.command';
import { SendMessageDto } from './messages.dto';

@ApiTags('messages')
@Controller('contacts/:contactId/messages')
export class MessagesController {
  constructor(private readonly commands: CommandBus) {}

  @Post()
  @HttpCode(202)
  @ApiOperation({ summary: 'Send a message to a contact' })
  @Access({ roles: ['operator'], action: 'message.send', command: 'SendMessage' })
  send(
    @UuidParam('contactId') contactId: string,
    @Body() { subject, body, ...message }: SendMessageDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<{ messageId: string; channel: Channel }>> {
    const content = { body, ...(subject === undefined ? {} : { subject }) };
    return this.commands.execute(new SendMessageCommand(contactId, { ...message, content }, context));
  }
}
