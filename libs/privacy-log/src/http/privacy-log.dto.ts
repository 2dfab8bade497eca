import { IsOneOf, IsRfc3339, IsSlug, IsText, IsUuid, IsWholeNumber, PageQueryDto } from '@app/http';

const INDEX_MAX = 2 ** 48;

export class ListEntriesDto extends PageQueryDto {
  @IsUuid({ optional: true, description: 'A contact that the entry is about.' })
  readonly contactId?: string;

  @IsText({
    max: 100,
    optional: true,
    description: 'Id of an actor: of an API key, or the name of an automation.',
  })
  readonly actor?: string;

  @IsSlug({ optional: true, description: 'Such as `contact.view`.' })
  readonly action?: string;

  @IsOneOf(['allowed', 'denied', 'failed'], { optional: true })
  readonly outcome?: string;

  @IsRfc3339({ optional: true, description: 'From this time on.' })
  readonly from?: string;

  @IsRfc3339({ optional: true, description: 'Before this time.' })
  readonly to?: string;
}

export class InclusionDto {
  @IsWholeNumber({ min: 0, max: INDEX_MAX, description: 'Index of the entry.' })
  readonly index!: number;

  @IsWholeNumber({
    min: 1,
    max: INDEX_MAX,
    optional: true,
    description: 'Of the tree; that of the last checkpoint unless told.',
  })
  readonly size?: number;
}

export class ConsistencyDto {
  @IsWholeNumber({ min: 1, max: INDEX_MAX, description: 'Size of the earlier tree.' })
  readonly from!: number;

  @IsWholeNumber({
    min: 1,
    max: INDEX_MAX,
    optional: true,
    description: 'Of the later tree; that of the last checkpoint unless told.',
  })
  readonly to?: number;
}
