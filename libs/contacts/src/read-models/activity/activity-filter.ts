import type { ActivityEntry, ActivityList } from './activity.journal';

/** What a feed or a list is narrowed to; all of it has to hold. */
export type ActivityFilter = Readonly<{
  contactId?: string | undefined;
  /** One of a contact's lists; only together with `contactId`, since one index serves the two. */
  list?: ActivityList | undefined;
  type?: string | undefined;
  locationId?: string | undefined;
  segmentId?: string | undefined;
}>;

/** In MongoDB's query language. */
export const activityStoreFilter = ({
  contactId,
  list,
  type,
  locationId,
  segmentId,
}: ActivityFilter): object => ({
  ...(contactId !== undefined && { contactId, lists: list ?? 'activity' }),
  ...(type !== undefined && { type }),
  ...(locationId !== undefined && { 'data.locationId': locationId }),
  ...(segmentId !== undefined && { 'data.segmentId': segmentId }),
});

/** The same on an entry at hand. */
export const matchesActivity = (
  entry: ActivityEntry,
  { contactId, list, type, locationId, segmentId }: ActivityFilter,
): boolean =>
  (contactId === undefined || (entry.contactId === contactId && entry.lists.includes(list ?? 'activity'))) &&
  (type === undefined || entry.type === type) &&
  (locationId === undefined || entry.data['locationId'] === locationId) &&
  (segmentId === undefined || entry.data['segmentId'] === segmentId);
