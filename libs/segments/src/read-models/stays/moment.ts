import { addMillis } from '@app/kernel';
import type { StoreFilter } from '@app/rules';
import type { Cause, Interval } from '../../membership/membership';

/**
 * Up to where stays are looked at. By time alone, what took effect at the instant or before it. By a position, the log as it
 * was right behind that event: what events up to there brought about, and what the clock had by the time it was recorded.
 * (Between two events the clock ticks on; the position of an event says nothing of the ticks that follow it.)
 */
export type Moment = Readonly<{
  /** ISO 8601 UTC; of a position, when its event was recorded. */
  at: string;
  position?: bigint;
}>;

/** What took effect up to the earlier of two moments had taken effect by both. */
export const earlierOf = (one: Moment, other: Moment): Moment => {
  if (one.position !== undefined && other.position !== undefined)
    return one.position <= other.position ? one : other;
  if (one.at !== other.at) return one.at < other.at ? one : other;
  // Of one instant a position may leave something out.
  return one.position === undefined ? other : one;
};

/** Whether a change had taken effect. */
export const hadHappened = ({ kind, at, position }: Cause, moment: Moment): boolean => {
  if (moment.position === undefined) return at <= moment.at;
  return BigInt(position) <= moment.position && (kind !== 'clock' || at <= moment.at);
};

/** A stay as it was known at a moment; null: it had not begun. */
export const stayAt = <Stay extends Interval>(stay: Stay, moment: Moment): Stay | null => {
  if (!hadHappened(stay.causeIn, moment)) return null;
  const hasEnded = stay.causeOut !== null && hadHappened(stay.causeOut, moment);
  return hasEnded ? stay : { ...stay, to: null, causeOut: null };
};

/** Stays that had begun. */
export const begunBy = (moment: Moment): StoreFilter => happenedBy('from', 'causeIn', moment);

/** Stays that had ended; those that go on have no `to`, which is no text and so is never at or before an instant. */
export const endedBy = (moment: Moment): StoreFilter => happenedBy('to', 'causeOut', moment);

/** Stays that had begun and not ended. */
export const standingAt = (moment: Moment): StoreFilter => ({ ...begunBy(moment), $nor: [endedBy(moment)] });

/** A change may be dated later than its event was recorded, by as much as clocks of machines differ; never by so much. */
const CLOCKS_DIFFER_BY_MS = 86_400_000;

const happenedBy = (
  time: 'from' | 'to',
  cause: 'causeIn' | 'causeOut',
  { at, position }: Moment,
): StoreFilter =>
  position === undefined
    ? { [time]: { $lte: at } }
    : {
        // Only for the index; the position decides.
        [time]: { $lte: addMillis(at, CLOCKS_DIFFER_BY_MS) },
        $and: [
          atMost(`${cause}.position`, position),
          { $or: [{ [`${cause}.kind`]: { $ne: 'clock' } }, { [time]: { $lte: at } }] },
        ],
      };

/** Positions are stored as texts of digits: of equal length, their order is that of the numbers. */
const atMost = (path: string, position: bigint): StoreFilter => {
  const text = position.toString();
  const sameLength = { [path]: { $regex: `^\\d{${text.length}}$`, $lte: text } };
  if (text.length === 1) return sameLength;
  return { $or: [{ [path]: { $regex: `^\\d{1,${text.length - 1}}$` } }, sameLength] };
};
