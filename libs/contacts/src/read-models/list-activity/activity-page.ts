import type { CursorCodec } from '@app/http';
import type { ActivityFilter } from '../activity/activity-filter';
import type { StoredActivity } from '../activity/activity-item';
import type { ActivityReads } from '../activity/mongo.activity-reads';

export type PageRequest = Readonly<{
  filter: ActivityFilter;
  limit: number;
  cursor?: string | undefined;
  /** The newest position that may be shown. */
  upTo: bigint;
}>;

/** A page of entries, newest first, and the cursor of the next. Positions never move, so neither do the pages. */
export const readActivityPage = async (
  entries: ActivityReads,
  cursors: CursorCodec,
  { filter, limit, cursor, upTo }: PageRequest,
): Promise<Readonly<{ page: readonly StoredActivity[]; nextCursor: string | null }>> => {
  const binding = [
    'activity',
    filter.contactId,
    filter.list,
    filter.type,
    filter.locationId,
    filter.segmentId,
  ];
  const below = cursor === undefined ? upTo : BigInt(cursors.decode(cursor, binding)[0] as string) - 1n;
  const found = await entries.newest(filter, below < upTo ? below : upTo, limit + 1);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    page,
    nextCursor:
      last !== undefined && found.length > limit ? cursors.encode([last.position.toString()], binding) : null,
  };
};
