import type { ContactEvent, OverlayMode } from '@app/contacts';
import type { RecordedEvent } from '@app/kernel';

/** `reason`: null also where its key is destroyed. */
export type OverlayThen = Readonly<{ mode: OverlayMode; reason: string | null; expiresAt: string | null }>;

/** What stands of words by hand after some events of a contact, in their order, at an instant. Pure. */
export const overlayAfter = (
  events: readonly RecordedEvent<ContactEvent>[],
  segmentId: string,
  at: string,
): OverlayThen | null => {
  let overlay: OverlayThen | null = null;
  for (const { type, data } of events) {
    if (type === 'contacts.SegmentAssigned.v1' && data.segmentId === segmentId) {
      overlay = { mode: data.mode, reason: data.reason ?? null, expiresAt: data.expiresAt ?? null };
    }
    if (type === 'contacts.SegmentUnassigned.v1' && data.segmentId === segmentId) overlay = null;
  }
  return overlay !== null && overlay.expiresAt !== null && overlay.expiresAt <= at ? null : overlay;
};

export const objectsToProfiling = (events: readonly RecordedEvent<ContactEvent>[]): boolean => {
  const last = events.findLast(
    ({ type }) => type === 'contacts.ProfilingObjected.v1' || type === 'contacts.ObjectionLifted.v1',
  );
  return last?.type === 'contacts.ProfilingObjected.v1';
};
