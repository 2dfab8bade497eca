/** ISO 8601: `P1Y2M3DT4H5M6S`, in its normal form (see normalDuration). */
export type Duration = string;

/** Months and days step on local dates, milliseconds are elapsed time. */
export type DurationParts = Readonly<{ months: number; days: number; ms: number }>;

const DURATION =
  /^P(?:(\d{1,4})W|(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,6})D)?(?:T(?:(\d{1,7})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?)$/;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Longer ones would lead out of the years that dates are written in. */
const YEARS_MAX = 100;

/** Undefined where the text is no duration, has no figure in it, or is longer than a hundred years. */
export const readDuration = (text: string): DurationParts | undefined => {
  const match = DURATION.exec(text);
  if (match === null || text === 'P' || text.endsWith('T')) return undefined;
  const [weeks, years, months, days, hours, minutes, seconds] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  const parts = {
    months: (years ?? 0) * 12 + (months ?? 0),
    days: (weeks ?? 0) * 7 + (days ?? 0),
    ms: (hours ?? 0) * HOUR_MS + (minutes ?? 0) * MINUTE_MS + (seconds ?? 0) * 1_000,
  };
  return roughDays(parts) > YEARS_MAX * 366 ? undefined : parts;
};

/** Of a duration that the parser let through. */
export const durationParts = (duration: Duration): DurationParts => {
  const parts = readDuration(duration);
  if (parts === undefined) throw new RangeError('A duration was expected.');
  return parts;
};

/** One text for all ways to write the same steps: `P4W` is `P28D`, `P12M` is `P1Y`; but a day is not 24 hours. */
export const normalDuration = ({ months, days, ms }: DurationParts): Duration => {
  const years = Math.floor(months / 12);
  const hours = Math.floor(ms / HOUR_MS);
  const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS);
  const seconds = Math.floor((ms % MINUTE_MS) / 1_000);
  const part = (figure: number, unit: string): string => (figure === 0 ? '' : `${figure}${unit}`);
  const date = part(years, 'Y') + part(months % 12, 'M') + part(days, 'D');
  const time = part(hours, 'H') + part(minutes, 'M') + part(seconds, 'S');
  if (date === '' && time === '') return 'P0D';
  return `P${date}${time === '' ? '' : `T${time}`}`;
};

/** How long it is at most, in days: for bounds and for the order of two durations. */
export const roughDays = ({ months, days, ms }: DurationParts): number =>
  months * 31 + days + ms / (24 * HOUR_MS);

export const isZero = ({ months, days, ms }: DurationParts): boolean =>
  months === 0 && days === 0 && ms === 0;

export const isCalendarOnly = ({ ms }: DurationParts): boolean => ms === 0;
