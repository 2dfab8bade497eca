import { IsForeignKey, IsOneOf, IsText, IsUuid, PageQueryDto } from '@app/http';
import { ACTIVITY_TYPES } from '../read-models/activity/activity.journal';

export class ListActivityDto extends PageQueryDto {
  @IsOneOf(ACTIVITY_TYPES, { optional: true, example: 'PurchaseRecorded' })
  readonly type?: string;

  @IsUuid({ optional: true })
  readonly contactId?: string;

  @IsForeignKey({ optional: true })
  readonly locationId?: string;

  @IsUuid({
    optional: true,
    description: 'What tells of this segment: who entered and left, and words by hand.',
  })
  readonly segmentId?: string;
}

export class FollowActivityDto {
  @IsOneOf(ACTIVITY_TYPES, { optional: true, example: 'PurchaseRecorded' })
  readonly type?: string;

  @IsUuid({ optional: true })
  readonly contactId?: string;

  @IsForeignKey({ optional: true })
  readonly locationId?: string;

  @IsUuid({
    optional: true,
    description: 'What tells of this segment: who entered and left, and words by hand.',
  })
  readonly segmentId?: string;

  @IsText({
    min: 0,
    max: 200,
    optional: true,
    description:
      'The id of the last event seen, for clients that cannot send Last-Event-ID; the header goes first.',
  })
  readonly lastEventId?: string;
}
