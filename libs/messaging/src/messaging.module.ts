import { Module } from '@nestjs/common';
import { SendMessageHandler } from './application/send-message/send-message.handler';
import { MessagesController } from './http/messages.controller';

/** Messages to contacts, for the api. */
@Module({ controllers: [MessagesController], providers: [SendMessageHandler] })
export class MessagingModule {}
