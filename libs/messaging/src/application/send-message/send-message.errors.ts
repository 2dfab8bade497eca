import type { Channel } from '@app/contacts';
import { DomainError } from '@app/kernel';

export class NoGatewayError extends DomainError {
  readonly code = 'messaging.no-gateway';
  readonly kind = 'conflict';
  override readonly pointer = '/channel';
  override readonly details: Readonly<Record<string, string>>;
  constructor(channel: Channel) {
    super('Nothing is set up to deliver messages on this channel. Messages to the inbox are delivered.');
    this.details = { channel };
  }
}

export class UnknownTemplateError extends DomainError {
  readonly code = 'messaging.unknown-template';
  readonly kind = 'invalid';
  override readonly pointer = '/templateId';
  constructor() {
    super('There is no such template.');
  }
}
