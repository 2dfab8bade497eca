import { shift } from '../calendar';
import { durationParts, type Duration } from '../duration';
import { earliestAfter, type Moment } from '../moment';
import type { DurationTest } from '../rule';
import { orderTruth } from '../value-tests';

/** How long ago an instant is, against a test: an hour is more than a day if `instant + P1D` is before now. */
export const elapsedTruth = (test: DurationTest, instant: number, { now, tz }: Moment): boolean =>
  orderTruth(test, (duration: Duration) => now - shift(instant, durationParts(duration), 1, tz));

/** When the answer next changes: `gt` is true from the millisecond after. */
export const nextElapsedMove = (test: DurationTest, instant: number, { now, tz }: Moment): number | null => {
  const durations = typeof test.value === 'string' ? [test.value] : test.value;
  return earliestAfter(
    now,
    durations.flatMap((duration) => {
      const edge = shift(instant, durationParts(duration), 1, tz);
      return [edge, edge + 1];
    }),
  );
};
