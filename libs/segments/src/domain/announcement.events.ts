import { defineEvent, open, type DomainEvent, type EventDefinition } from '@app/kernel';

/**
 * Everything on stream `segmentannouncements-main`: who entered or left a segment, once each, for feeds and automations. Rules
 * never read them: what they ask is in the stays.
 */

type OfStay = {
  contactId: string;
  segmentId: string;
  /** Of the segment's rule. */
  version: number;
  /** When it took effect, ISO 8601 UTC. */
  at: string;
  /** Why; `position` is 64 bits, so a text. */
  cause: Readonly<{ kind: string; eventId?: string; at: string; position: string }>;
  /** The stay that began or ended: nothing is announced twice of one. */
  stayId: string;
  occurredAt: string;
};

export type SegmentEntered = DomainEvent<'segments.SegmentEntered.v1', OfStay>;
export type SegmentLeft = DomainEvent<'segments.SegmentLeft.v1', OfStay>;
export type AnnouncementEvent = SegmentEntered | SegmentLeft;

const ofStay = {
  contactId: open,
  segmentId: open,
  version: open,
  at: open,
  cause: open,
  stayId: open,
  occurredAt: open,
} as const;

export const announcementEventDefinitions: readonly EventDefinition[] = [
  defineEvent<SegmentEntered>({ type: 'segments.SegmentEntered.v1', fields: ofStay }),
  defineEvent<SegmentLeft>({ type: 'segments.SegmentLeft.v1', fields: ofStay }),
];

export const ANNOUNCEMENT_STREAM = 'segmentannouncements-main';
