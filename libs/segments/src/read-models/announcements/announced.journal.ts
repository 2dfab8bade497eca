import { open, type RecordedEvent } from '@app/kernel';
import { defineJournal } from '@app/read-store';
import type { AnnouncementEvent } from '../../domain/announcement.events';
import type { Announcement } from '../segmented-contact';

/** That something was announced: it is announced no more, also where the stays were built anew from the log. */
export type Announced = Readonly<{ announcement: string }>;

const KINDS: Readonly<Partial<Record<string, Announcement>>> = {
  'segments.SegmentEntered.v1': 'entered',
  'segments.SegmentLeft.v1': 'left',
};

export const announcementName = (kind: Announcement, stay: string): string => `${kind} ${stay}`;

export const announcedJournal = defineJournal<Announced>({
  name: 'announced',
  version: 1,
  entry: (event) => {
    const kind = KINDS[event.type];
    if (kind === undefined) return null;
    return { announcement: announcementName(kind, (event as RecordedEvent<AnnouncementEvent>).data.stayId) };
  },
  fields: { announcement: open },
  indexes: [{ key: { announcement: 1 } }],
});
