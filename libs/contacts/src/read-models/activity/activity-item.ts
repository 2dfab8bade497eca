import type { ActivityEntry } from './activity.journal';

/** An entry with its place in the log. */
export type StoredActivity = ActivityEntry & Readonly<{ position: bigint }>;

/** An event as the API shows it. */
export type ActivityItem = Readonly<{
  position: string;
  eventId: string;
  type: string;
  contactId: string;
  occurredAt: string;
  recordedAt: string;
  actor: ActivityEntry['actor'];
  data: Readonly<Record<string, unknown>>;
}>;

/** Their names, but for whom it is of, as the privacy log tells them of what is sent piece by piece. */
export const ACTIVITY_ITEM_FIELDS: readonly (keyof ActivityItem)[] = [
  'position',
  'eventId',
  'type',
  'occurredAt',
  'recordedAt',
  'actor',
  'data',
];

/** `opened`: personal fields to show beside the figures; none in feeds over all contacts. */
export const activityItem = (
  { position, eventId, type, contactId, occurredAt, recordedAt, actor, data }: StoredActivity,
  opened: Readonly<Record<string, unknown>> = {},
): ActivityItem => ({
  position: position.toString(),
  eventId,
  type,
  contactId,
  occurredAt,
  recordedAt,
  actor,
  data: { ...data, ...opened },
});
