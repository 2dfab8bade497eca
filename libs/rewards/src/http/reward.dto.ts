import {
  IsFlag,
  IsNested,
  IsOneOf,
  IsRfc3339,
  Field,
  IsText,
  IsUuid,
  IsWholeNumber,
  PageQueryDto,
  rules,
} from '@app/http';

const POINTS_MAX = 1_000_000_000;
const TITLE = { max: 200, example: 'A coffee' };
const DESCRIPTION = { max: 2000, optional: true, nullable: true };
const FROM = { optional: true, nullable: true, description: 'From this instant on; null: at once.' };
const UNTIL = { optional: true, nullable: true, description: 'Before this instant; null: for ever.' };
const STOCK = {
  min: 0,
  max: POINTS_MAX,
  optional: true,
  nullable: true,
  description: 'Pieces in all, those redeemed included; null: without limit.',
};
const LIMIT = {
  min: 1,
  max: POINTS_MAX,
  optional: true,
  nullable: true,
  description: 'null: without limit.',
};
const SEGMENT = {
  optional: true,
  nullable: true,
  description: 'Only members of this segment may redeem it.',
};
const TYPES = ['inStore', 'code', 'link'];

export class PriceDto {
  @Field(rules.pool, { description: 'The pool that pays.', example: 'main' })
  readonly pool!: string;

  @IsWholeNumber({ min: 0, max: POINTS_MAX, example: 100 })
  readonly points!: number;
}

class OptionalTermsDto {
  @IsText(DESCRIPTION) readonly description?: string | null;
  @IsRfc3339(FROM) readonly validFrom?: string | null;
  @IsRfc3339(UNTIL) readonly validUntil?: string | null;
  @IsWholeNumber(STOCK) readonly stock?: number | null;
  @IsWholeNumber(LIMIT) readonly limitPerContact?: number | null;
  @IsUuid(SEGMENT) readonly segmentId?: string | null;
}

export class CreateRewardDto extends OptionalTermsDto {
  @IsText(TITLE) readonly title!: string;
  @IsNested(() => PriceDto) readonly price!: PriceDto;
  @IsOneOf(TYPES) readonly redemptionType!: 'inStore' | 'code' | 'link';
}

export class ChangeRewardDto extends OptionalTermsDto {
  @IsText({ ...TITLE, optional: true }) readonly title?: string;
  @IsNested(() => PriceDto, { optional: true }) readonly price?: PriceDto;
  @IsOneOf(TYPES, { optional: true }) readonly redemptionType?: 'inStore' | 'code' | 'link';
  @IsFlag({ optional: true }) readonly active?: boolean;
}

export class RedeemRewardDto {
  @IsUuid({ description: 'A reward of the catalogue.' })
  readonly rewardId!: string;

  @IsUuid({ optional: true, description: 'Chosen by the client, so that a resend is recognised.' })
  readonly redemptionId?: string;
}

export class ListRewardsDto extends PageQueryDto {
  @IsFlag({ optional: true, description: 'Answer with the total, too.' })
  readonly count: boolean = false;
}
