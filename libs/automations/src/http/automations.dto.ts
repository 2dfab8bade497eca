import { CHANNELS } from '@app/contacts';
import {
  Field,
  IsFlag,
  IsListOf,
  IsNested,
  IsOneOf,
  IsSlug,
  IsText,
  IsUuid,
  IsWholeNumber,
  PageQueryDto,
  rules,
} from '@app/http';
import type { GivenAction } from '../application/automation.commands';
import { MEMBERSHIP_CHANGES, type MembershipChange } from '../domain/automation.events';

const ACTIONS_MAX = 10;
const POINTS_MAX = 1_000_000_000;
const TYPES = ['sendMessage', 'creditPoints', 'callWebhook'];
const given = { optional: true } as const;
const LIMIT = {
  ...given,
  min: 1,
  max: 1_000_000,
  nullable: true,
  description: 'How often it acts for one contact at most; null: each time.',
};
const THEN = { min: 1, max: ACTIONS_MAX, description: 'What is done, in this order.' };
const ACTIVE = { ...given, description: 'It acts on what happens from then on. True, unless told.' };

export class TriggerDto {
  @IsUuid() readonly segmentId!: string;
  @IsOneOf(MEMBERSHIP_CHANGES) readonly change!: MembershipChange;
}

export class ActionDto {
  @IsOneOf(TYPES, { description: '`callWebhook` is refused so far.' }) readonly type!: GivenAction['type'];

  @IsOneOf(CHANNELS, { ...given, description: 'Of `sendMessage`: only `inbox` is delivered so far.' })
  readonly channel?: string;

  @IsSlug({
    ...given,
    description:
      'Of `sendMessage`: `service` needs no consent; any other purpose needs one, on this channel.',
    example: 'newsletter',
  })
  readonly purpose?: string;

  @IsText({ ...given, max: 200, description: 'Of `sendMessage`.' }) readonly subject?: string;
  @IsText({ ...given, max: 20_000, description: 'Of `sendMessage`.' }) readonly body?: string;

  @IsWholeNumber({ ...given, min: 1, max: POINTS_MAX, description: 'Of `creditPoints`.', example: 100 })
  readonly points?: number;

  @IsSlug({ ...given, description: 'Of `creditPoints`.', example: 'welcome' }) readonly reason?: string;
  @Field(rules.pool, { ...given, description: 'Of `creditPoints`: `main`, unless told.' })
  readonly pool?: string;
}

export class CreateAutomationDto {
  @IsNested(() => TriggerDto) readonly on!: TriggerDto;
  @IsListOf(() => ActionDto, THEN) readonly then!: ActionDto[];
  @IsWholeNumber(LIMIT) readonly limitPerContact?: number | null;
  @IsFlag(ACTIVE) readonly active: boolean = true;
}

export class ChangeAutomationDto {
  @IsNested(() => TriggerDto, given) readonly on?: TriggerDto;
  @IsListOf(() => ActionDto, { ...THEN, ...given }) readonly then?: ActionDto[];
  @IsWholeNumber(LIMIT) readonly limitPerContact?: number | null;
  @IsFlag(given) readonly active?: boolean;
}

export class ListAutomationsDto extends PageQueryDto {}
