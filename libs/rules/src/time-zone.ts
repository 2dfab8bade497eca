import { Temporal } from 'temporal-polyfill';

/** Clocks of a time zone stand `offset` ahead of UTC from `from` until `to`, all in milliseconds. */
type Stretch = Readonly<{ from: number; to: number; offset: number }>;

const DAY_MS = 86_400_000;

/**
 * What the library said of each time zone so far. Asking it takes longer than all else in an evaluation, and a zone has two
 * stretches a year.
 */
const known = new Map<string, Stretch[]>();

/** How far local clocks are ahead of UTC at an instant. Instants and offsets are in milliseconds. */
export const offsetAt = (instant: number, tz: string): number => {
  if (tz === 'UTC') return 0;
  let stretches = known.get(tz);
  if (stretches === undefined) known.set(tz, (stretches = []));
  const found = stretches.find(({ from, to }) => from <= instant && instant < to);
  if (found !== undefined) return found.offset;
  const stretch = stretchAt(instant, tz);
  stretches.push(stretch);
  return stretch.offset;
};

const stretchAt = (instant: number, tz: string): Stretch => {
  const at = (ms: number): Temporal.ZonedDateTime =>
    Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(tz);
  const zoned = at(Math.floor(instant));
  return {
    // The one before is strictly before, but a change at this very instant is the one asked for.
    from: at(Math.floor(instant) + 1).getTimeZoneTransition('previous')?.epochMilliseconds ?? -Infinity,
    to: zoned.getTimeZoneTransition('next')?.epochMilliseconds ?? Infinity,
    offset: zoned.offsetNanoseconds / 1e6,
  };
};

/** What local clocks show, as if it were UTC. */
export const toLocal = (instant: number, tz: string): number => instant + offsetAt(instant, tz);

/**
 * When local clocks show this. Of an hour that comes twice the first; a time that is skipped is as much later as the clocks
 * are put forward (RFC 5545, and Temporal's `compatible`).
 */
export const fromLocal = (local: number, tz: string): number => {
  if (tz === 'UTC') return local;
  const before = offsetAt(local - DAY_MS, tz);
  const after = offsetAt(local + DAY_MS, tz);
  const readings = [local - before, local - after].filter((instant) => toLocal(instant, tz) === local);
  return readings.length === 0 ? local - before : Math.min(...readings);
};
