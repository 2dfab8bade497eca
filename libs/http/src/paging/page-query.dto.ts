import { IsText, IsWholeNumber } from '../input/fields';

export const PAGE_LIMIT_DEFAULT = 50;
export const PAGE_LIMIT_MAX = 500;

/** What every list takes; extend it with the list's own filters. `minPosition` comes by @MinPosition(). */
export class PageQueryDto {
  @IsWholeNumber({
    min: 1,
    max: PAGE_LIMIT_MAX,
    optional: true,
    description: `Rows a page; ${PAGE_LIMIT_DEFAULT} unless told.`,
  })
  readonly limit: number = PAGE_LIMIT_DEFAULT;

  @IsText({
    max: 4096,
    optional: true,
    description: '`nextCursor` of the page before, with the same filter and sort.',
  })
  readonly cursor?: string;
}
