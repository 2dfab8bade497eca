import { Query } from '@nestjs/cqrs';
import type { ActivityFilter } from '../activity/activity-filter';
import type { ActivityItem } from '../activity/activity-item';
import type { ActivityList } from '../activity/activity.journal';
import type { Reader } from '../../visibility';

export type ActivityPage = Readonly<{
  items: readonly ActivityItem[];
  nextCursor: string | null;
  asOfPosition: string;
}>;

type Paging = Readonly<{
  limit: number;
  cursor?: string | undefined;
  minPosition?: bigint | undefined;
}>;

/** What happened to all contacts, newest first; figures only. */
export class ListActivityQuery extends Query<ActivityPage> {
  constructor(
    readonly input: Paging &
      Pick<ActivityFilter, 'contactId' | 'type' | 'locationId' | 'segmentId'> &
      Readonly<{ reader: Reader }>,
  ) {
    super();
  }
}

/** What happened to one contact, newest first, with its own notes, invoice numbers and messages. */
export class ListContactActivityQuery extends Query<ActivityPage> {
  constructor(readonly input: Paging & Readonly<{ contactId: string; reader: Reader; list: ActivityList }>) {
    super();
  }
}
