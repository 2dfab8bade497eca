import { Field, IsListOf, IsNested, IsText, IsWholeNumber, rules } from '@app/http';

const EARNING_POINTS_MAX = 1_000_000;
const PER_MINOR_MAX = 1_000_000_000_000;
const DURATION_CHARS_MAX = 40;
const PURCHASE_RULES_MAX = 50;

const given = { optional: true } as const;
const POOL = { ...given, description: '`main`, unless told.' };
const EXPIRES_AFTER = {
  ...given,
  max: DURATION_CHARS_MAX,
  description: 'ISO 8601 duration until what was earned expires; never, unless told.',
  example: 'P1Y',
};

export class PurchaseEarningDto {
  @Field(rules.currency, { description: 'ISO 4217; one rule a currency.', example: 'EUR' })
  readonly currency!: string;

  @IsWholeNumber({ min: 1, max: EARNING_POINTS_MAX, description: 'For every full `perMinor`.', example: 1 })
  readonly points!: number;

  @IsWholeNumber({ min: 1, max: PER_MINOR_MAX, example: 100 }) readonly perMinor!: number;
  @Field(rules.pool, POOL) readonly pool?: string;
  @IsText(EXPIRES_AFTER) readonly expiresAfter?: string;
}

export class CheckInEarningDto {
  @IsWholeNumber({ min: 1, max: EARNING_POINTS_MAX, example: 5 }) readonly points!: number;

  @IsText({
    max: DURATION_CHARS_MAX,
    description: 'ISO 8601 duration within which a location gives points once.',
    example: 'PT12H',
  })
  readonly cooldown!: string;

  @Field(rules.pool, POOL) readonly pool?: string;
  @IsText(EXPIRES_AFTER) readonly expiresAfter?: string;
}

export class ProgrammeDto {
  @IsListOf(() => PurchaseEarningDto, { max: PURCHASE_RULES_MAX })
  readonly purchases!: readonly PurchaseEarningDto[];

  @IsNested(() => CheckInEarningDto, { nullable: true, description: 'null: check-ins earn nothing.' })
  readonly checkIn!: CheckInEarningDto | null;
}
