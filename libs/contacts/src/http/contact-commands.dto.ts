import {
  Field,
  IsFlag,
  IsForeignKey,
  IsListOf,
  IsNested,
  IsOneOf,
  IsRfc3339,
  IsSlug,
  IsText,
  IsUuid,
  IsWholeNumber,
  MoneyDto,
  rules,
} from '@app/http';
import { CHANNELS, LEGAL_GROUNDS, type Channel, type LegalGround } from '../domain/contact.events';
import { ProfileChangeDto, ProfileDto } from './profile.dto';

const POINTS_MAX = 1_000_000_000;
const CONSENTS_MAX = 50;
const ITEMS_MAX = 200;

const given = { optional: true } as const;
const OCCURRED_AT = { ...given, description: 'When it happened, if not now; at most 60 seconds ahead.' };

export class SetConsentDto {
  @IsFlag() readonly granted!: boolean;

  @IsOneOf(CHANNELS, { ...given, description: 'All channels, unless told.' })
  readonly channel?: Channel;

  @IsText({ ...given, max: 100, description: 'Of the text that was agreed to.' })
  readonly wordingVersion?: string;

  @IsSlug({ description: 'Where it was given or withdrawn.', example: 'app-settings' })
  readonly source!: string;
}

export class ConsentDto extends SetConsentDto {
  @IsSlug({ example: 'newsletter' }) readonly purpose!: string;
}

export class RegisterContactDto {
  @IsNested(() => ProfileDto) readonly profile!: ProfileDto;

  @IsUuid({ ...given, description: 'Chosen by the client; must be new.' })
  readonly contactId?: string;

  @IsRfc3339({ ...given, description: 'When the contact registered, if not now.' })
  readonly registeredAt?: string;

  @IsListOf(() => ConsentDto, { ...given, max: CONSENTS_MAX })
  readonly consents?: readonly ConsentDto[];

  @IsText({ ...given, max: 64 }) readonly invitationCode?: string;
}

export class ChangeContactDto {
  @IsNested(() => ProfileChangeDto) readonly profile!: ProfileChangeDto;
}

export class DebitPointsDto {
  @IsWholeNumber({ min: 1, max: POINTS_MAX, example: 100 }) readonly points!: number;
  @IsSlug({ example: 'goodwill' }) readonly reason!: string;
  @Field(rules.pool, { ...given, description: '`main`, unless told.' }) readonly pool?: string;
  @IsText({ ...given, max: 1_000, description: 'Free text; kept sealed.' }) readonly note?: string;
  @IsRfc3339(OCCURRED_AT) readonly occurredAt?: string;
}

export class CreditPointsDto extends DebitPointsDto {
  @IsRfc3339({ ...given, description: 'When what is left of these points expires.' })
  readonly expiresAt?: string;
}

export class CheckInDto {
  @IsForeignKey({ ...given, description: 'Chosen by the client, so that a resend is recognised.' })
  readonly checkInId?: string;

  @IsForeignKey(given) readonly locationId?: string;
  @IsRfc3339(OCCURRED_AT) readonly occurredAt?: string;
}

export class PurchaseItemDto {
  @IsForeignKey({ description: "The shop's own number for what was bought." }) readonly sku!: string;
  @IsWholeNumber({ min: 1, max: 1_000_000 }) readonly quantity!: number;
  @IsNested(() => MoneyDto, given) readonly amount?: MoneyDto;
}

export class RecordPurchaseDto {
  @IsForeignKey({
    description: 'Of the contact, unique: a resend is recognised by it.',
    example: '2026-000123',
  })
  readonly invoiceNumber!: string;

  @IsNested(() => MoneyDto) readonly amount!: MoneyDto;
  @IsForeignKey(given) readonly locationId?: string;
  @IsListOf(() => PurchaseItemDto, { ...given, max: ITEMS_MAX }) readonly items?: readonly PurchaseItemDto[];
  @IsRfc3339(OCCURRED_AT) readonly occurredAt?: string;
}

export class ReturnPurchaseDto {
  @IsSlug({ ...given, example: 'damaged' }) readonly reason?: string;
  @IsRfc3339(OCCURRED_AT) readonly occurredAt?: string;
}

export class RegisterDeviceDto {
  @IsSlug({ example: 'ios' }) readonly platform!: string;
  @IsText({ ...given, max: 100 }) readonly model?: string;
  @IsText({ ...given, max: 50 }) readonly osVersion?: string;
  @IsText({ ...given, max: 50 }) readonly appVersion?: string;
  @IsText({ ...given, max: 4_096 }) readonly pushToken?: string;
}

export class EraseContactDto {
  @IsOneOf(LEGAL_GROUNDS, { ...given, description: '`noLongerNeeded`, unless told.' })
  readonly legalGround?: LegalGround;

  @Field(rules.duration, {
    ...given,
    description: 'ISO 8601, at most a month; at once, unless told.',
    example: 'P7D',
  })
  readonly coolingOff?: string;
}

export class ReasonDto {
  @IsSlug({ ...given, example: 'accuracy-contested' }) readonly reason?: string;
}
