import { CHANNELS, type Channel } from '@app/contacts';
import { IsOneOf, IsSlug, IsText } from '@app/http';

export class SendMessageDto {
  @IsOneOf(CHANNELS, { description: 'Only `inbox` is delivered so far.' }) readonly channel!: Channel;

  @IsSlug({
    description: '`service` needs no consent; any other purpose needs one, on this channel.',
    example: 'newsletter',
  })
  readonly purpose!: string;

  @IsText({ optional: true, max: 200 }) readonly subject?: string;
  @IsText({ max: 20_000 }) readonly body!: string;
  @IsText({ optional: true, max: 64 }) readonly templateId?: string;
}
