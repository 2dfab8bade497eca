import type { Interval } from '../membership/membership';
import type { Announcement } from '../read-models/segmented-contact';

/**
 * What is to be said of a stay as it opened or closed, among all that changed for the contact: nothing of a first fill, nor
 * of somebody who stays in under a new version of the rule.
 */
export const announcementOf = (
  stay: Interval,
  all: readonly Interval[],
  index: number,
): Announcement | null => {
  if (stay.to !== null) {
    const next = all[index + 1];
    return next !== undefined && isSwitch(stay, next) ? null : 'left';
  }
  if (stay.causeIn.kind === 'initial') return null;
  const previous = all[index - 1];
  return previous !== undefined && isSwitch(previous, stay) ? null : 'entered';
};

const isSwitch = (closed: Interval, opened: Interval): boolean =>
  closed.segmentId === opened.segmentId &&
  opened.to === null &&
  closed.causeOut?.kind === opened.causeIn.kind &&
  closed.causeOut.position === opened.causeIn.position &&
  closed.version !== opened.version;
