import type { DurationParts } from './duration';
import { WEEK_DAYS, type Period, type PeriodUnit, type WeekDay } from './rule';
import { fromLocal, toLocal } from './time-zone';

/** Instants are milliseconds since 1970, dates are `YYYY-MM-DD`. */

const DAY_MS = 86_400_000;

/** The calendar date of an instant in a time zone. */
export const dateIn = (instant: Date, timeZone: string): string => dateAt(instant.getTime(), timeZone);

export const dateAt = (instant: number, tz: string): string => isoDate(toLocal(instant, tz));

/** When a date begins: at midnight, or when the clocks are put forward over it. */
export const startOfDate = (date: string, tz: string): number => fromLocal(utcOf(date), tz);

/**
 * Whole years from a birthday to a day, both `YYYY-MM-DD`. Who was born on 29 February is a year older from 1 March in
 * years without that day. Negative before birth.
 */
export const ageOn = (birthday: string, day: string): number => {
  const years = Number(day.slice(0, 4)) - Number(birthday.slice(0, 4));
  return day.slice(4) < birthday.slice(4) ? years - 1 : years;
};

/** Who was born on or before this text, compared as text, is at least `age` on the day; see ageOn. */
export const bornBy = (age: number, day: string): string => {
  const year = Number(day.slice(0, 4)) - age;
  if (year < 0) return '';
  return year > 9999 ? '9999-12-31' : `${String(year).padStart(4, '0')}${day.slice(4)}`;
};

export const isLeapYear = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);

/** A date so many months and days on (or back, with -1): 31 January and a month is the last day of February. */
export const shiftDate = (date: string, parts: DurationParts, sign: 1 | -1): string =>
  isoDate(shiftLocal(utcOf(date), parts, sign));

/** An instant so much on or back: months and days from local date to local date at the same time of day, the rest elapsed. */
export const shift = (instant: number, parts: DurationParts, sign: 1 | -1, tz: string): number => {
  const dated =
    parts.months === 0 && parts.days === 0
      ? instant
      : fromLocal(shiftLocal(toLocal(instant, tz), parts, sign), tz);
  return dated + sign * parts.ms;
};

const shiftLocal = (local: number, { months, days }: DurationParts, sign: 1 | -1): number => {
  if (months === 0) return local + sign * days * DAY_MS;
  const day = new Date(local);
  const wanted = day.getUTCDate();
  day.setUTCDate(1);
  day.setUTCMonth(day.getUTCMonth() + sign * months);
  const last = new Date(day.getTime());
  last.setUTCMonth(last.getUTCMonth() + 1, 0);
  day.setUTCDate(Math.min(wanted, last.getUTCDate()));
  return day.getTime() + sign * days * DAY_MS;
};

/** Where months are clamped, up to four dates lead to one. */
const CLAMPED_MS = 5 * DAY_MS;
/** Clocks have been put forward and back by a whole day at the date line. */
const CLOCKS_MS = 26 * 3_600_000;

/**
 * A fact of time t counts in a rolling window while `t <= now < t + duration`. What happened at or before `gone` has left
 * it, what happened after `safe` has not; between the two (a few days at most, none where a step is always as long) each
 * fact has to be asked.
 */
export const rollingEdge = (
  now: number,
  parts: DurationParts,
  tz: string,
): Readonly<{ gone: number; safe: number }> => {
  const edge = shift(now, parts, -1, tz);
  const slack = slackOf(parts, tz);
  return { gone: edge - slack, safe: edge + slack };
};

/** How far apart two instants have to be for the later one to stay the later one after a shift. */
export const slackOf = ({ months, days }: DurationParts, tz: string): number => {
  if (months !== 0) return CLAMPED_MS;
  return days === 0 || tz === 'UTC' ? 0 : CLOCKS_MS;
};

export type Stretch = Readonly<{ from: number; to: number }>;
export type Calendar = Readonly<{ tz: string; weekStart: WeekDay }>;

/** The calendar period that an instant lies in, moved by `offset` of its kind: `[from, to)`. */
export const periodAt = (instant: number, { period, offset }: Period, calendar: Calendar): Stretch => {
  const { from, to } = periodOfDate(dateAt(instant, calendar.tz), { period, offset }, calendar.weekStart);
  return { from: startOfDate(from, calendar.tz), to: startOfDate(to, calendar.tz) };
};

/** The same in dates, `to` excluded. */
export const periodOfDate = (
  date: string,
  { period, offset }: Period,
  weekStart: WeekDay,
): Readonly<{ from: string; to: string }> => {
  const step = STEPS[period];
  const start = startOfPeriod(utcOf(date), period, weekStart);
  const moved = shiftLocal(
    start,
    { months: step.months * Math.abs(offset), days: step.days * Math.abs(offset), ms: 0 },
    offset < 0 ? -1 : 1,
  );
  return { from: isoDate(moved), to: isoDate(shiftLocal(moved, { ...step, ms: 0 }, 1)) };
};

const STEPS: Readonly<Record<PeriodUnit, Readonly<{ months: number; days: number }>>> = {
  day: { months: 0, days: 1 },
  week: { months: 0, days: 7 },
  month: { months: 1, days: 0 },
  quarter: { months: 3, days: 0 },
  year: { months: 12, days: 0 },
};

const startOfPeriod = (midnight: number, period: PeriodUnit, weekStart: WeekDay): number => {
  const day = new Date(midnight);
  switch (period) {
    case 'day':
      return midnight;
    case 'week': {
      // 1970-01-01 was a Thursday; WEEK_DAYS starts with Monday.
      const weekDay = (((midnight / DAY_MS + 3) % 7) + 7) % 7;
      return midnight - ((weekDay - WEEK_DAYS.indexOf(weekStart) + 7) % 7) * DAY_MS;
    }
    case 'month':
      return day.setUTCDate(1);
    case 'quarter':
      return day.setUTCMonth(Math.floor(day.getUTCMonth() / 3) * 3, 1);
    case 'year':
      return day.setUTCMonth(0, 1);
  }
};

const utcOf = (date: string): number => Date.parse(`${date}T00:00:00.000Z`);

/** Dates beyond the four digits stop at the last one that can be written. */
const isoDate = (local: number): string => {
  const text = new Date(local).toISOString();
  if (text.startsWith('+')) return '9999-12-31';
  return text.startsWith('-') ? '0000-01-01' : text.slice(0, 10);
};
