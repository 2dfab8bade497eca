/**
 * Instants as strings, `YYYY-MM-DDTHH:mm:ss.sssZ`: in this one form they sort as text, so that the pure core compares them
 * without a date type. Nothing here reads a clock.
 */

const LAST = '9999-12-31T23:59:59.999Z';
const LAST_MS = Date.parse(LAST);
const FIRST_MS = Date.parse('0000-01-01T00:00:00.000Z');

const DURATION =
  /^P(?=\d|T\d)(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?$/;

/** Keeps the result within years 0 to 9999, where text order is time order. */
const atMillis = (ms: number): string => new Date(Math.min(Math.max(ms, FIRST_MS), LAST_MS)).toISOString();

/** The one form of an RFC 3339 time, whatever offset it was written with. Throws RangeError on what is no time. */
export const canonicalInstant = (time: string): string => {
  const ms = Date.parse(time);
  if (Number.isNaN(ms)) throw new RangeError('Not an RFC 3339 time.');
  return atMillis(ms);
};

/** `ms` may be negative. */
export const addMillis = (instant: string, ms: number): string => atMillis(Date.parse(instant) + ms);

/** ISO 8601 in whole numbers: `P1Y6M`, `P2W`, `P30D`, `PT12H`. */
export const isDuration = (text: string): boolean => DURATION.test(text);

/**
 * Adds an ISO 8601 duration on the UTC calendar, or takes it away (`direction` -1). A month's end stays within the month:
 * 31 January and P1M is 28 or 29 February. Throws RangeError on what is no duration.
 */
export const addDuration = (instant: string, duration: string, direction: 1 | -1 = 1): string => {
  const parts = DURATION.exec(duration);
  if (!parts) throw new RangeError('Not an ISO 8601 duration.');
  const [years = 0, months = 0, weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = parts
    .slice(1)
    .map((part) => direction * Number(part ?? 0));
  const date = new Date(instant);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + years * 12 + months);
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, lastDay));
  return atMillis(
    date.getTime() + (weeks * 7 + days) * 86_400_000 + hours * 3_600_000 + minutes * 60_000 + seconds * 1_000,
  );
};
