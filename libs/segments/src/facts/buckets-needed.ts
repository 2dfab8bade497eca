import {
  ACTIVITIES,
  dependenciesOf,
  durationParts,
  periodAt,
  POINT_MOVES,
  rollingEdge,
  shiftDate,
  type Calendar,
  type Range,
  type Rule,
  type Series,
  type Window,
} from '@app/rules';
import { FACT_NAMES, seriesKey, type FactsDocument } from './facts.document';

type Directory = Pick<FactsDocument, 'months' | 'lateMonths' | 'registeredAt'>;

const MONTHS_FROM = '0000-01';
const MONTHS_UP_TO = '9999-12';
const FIRST_INSTANT = -62_167_219_200_000;
const LAST_INSTANT = 253_402_300_799_999;

/** In UTC; what lies beyond the years that are written with four digits is in the first or last month. */
const monthAt = (instant: number): string => {
  if (instant > LAST_INSTANT) return MONTHS_UP_TO;
  if (instant < FIRST_INSTANT) return MONTHS_FROM;
  // Asked several times a rule: a date's text takes longer to make.
  const date = new Date(instant);
  const month = date.getUTCMonth() + 1;
  return `${String(date.getUTCFullYear()).padStart(4, '0')}-${month < 10 ? '0' : ''}${month}`;
};

const SPEND: ReadonlySet<string> = new Set(['PurchaseRecorded', 'PurchaseReturned']);

const isPart = (name: string, series: Series): boolean => {
  if ('activity' in series) return ACTIVITIES.has(name);
  if ('points' in series) return Object.hasOwn(POINT_MOVES, name);
  return 'spend' in series ? SPEND.has(name) : name === series.event;
};

/** The months, oldest first, in which there can be facts of a series within a range. */
export const monthsWith = (
  series: Series,
  { after, upTo, axis }: Range,
  { months, lateMonths }: Directory,
): readonly string[] => {
  // Facts are dated in whole milliseconds.
  const [from, to] = [monthAt(after + 1), monthAt(upTo)];
  const found = new Set<string>();
  for (const known of axis === 'recorded' ? [months, lateMonths] : [months]) {
    for (const [month, names] of Object.entries(known)) {
      if (from <= month && month <= to && names.some((name) => isPart(name, series))) found.add(month);
    }
  }
  return [...found].sort();
};

/**
 * The months whose buckets have to be loaded before a rule is evaluated at `now`, with its next change; oldest first. A window
 * needs the months it reaches back to, and all facts together none but those from now on, since their total is kept; what is
 * asked for by its fields over the whole history needs them all, as does an explanation.
 */
export const bucketsNeeded = (rule: Rule, doc: Directory, now: number): readonly string[] => {
  const needed = new Set<string>();
  for (const { series, window } of dependenciesOf(rule).series) {
    const axis = window.axis === undefined ? {} : { axis: window.axis };
    // The next change is looked for in windows that move on, so nothing ahead may be missing.
    const after = firstNeeded(series, window, doc, rule, now);
    for (const month of monthsWith(series, { after, upTo: Infinity, ...axis }, doc)) needed.add(month);
    if (!('ever' in window)) continue;
    // The latest fact may lie before this month.
    const latest = monthsWith(series, { after: -Infinity, upTo: now, ...axis }, doc).filter(
      (month) => month < monthAt(now),
    );
    if (latest.length > 0) needed.add(latest.at(-1) as string);
  }
  return [...needed].sort();
};

const DIRECTORY_MONTHS_MAX = 36;

/**
 * Calendar months of which a contact has to have something of a series for there to be anything of it within a window, at
 * `now` or (as far as it is known by then) later; null: they are too many to name.
 */
export const monthsAsked = (
  series: Series,
  window: Window,
  calendar: Calendar,
  now: number,
): readonly string[] | null => {
  // These begin with the contact or with time. For what has a total, fewer months are needed than there may be facts in.
  if ('ever' in window || 'sinceRegistration' in window) return null;
  if (!('last' in window) && !('period' in window) && window.from === undefined) return null;
  const from = firstNeeded(series, window, { registeredAt: '' }, calendar, now);
  // What is dated ahead of now may be dated into the next month; a date ends at most a day off where it does in UTC.
  const end = 'to' in window && window.to !== undefined ? Math.min(now, Date.parse(window.to)) : now;
  const last = monthAt(end + DAY_MS);
  const found: string[] = [];
  for (let month = monthAt(from + 1); month <= last; month = monthAfter(month)) {
    if (found.length === DIRECTORY_MONTHS_MAX) return null;
    found.push(month);
  }
  return found;
};

const MONTH = durationParts('P1M');
const monthAfter = (month: string): string => shiftDate(`${month}-01`, MONTH, 1).slice(0, 'YYYY-MM'.length);

/** What a directory calls the facts that a series is made of. */
export const namesIn = (series: Series): readonly string[] =>
  [...FACT_NAMES].filter((name) => isPart(name, series));

/** All there are: for explanations, which name the events behind them. */
export const allBuckets = ({ months, lateMonths }: Directory): readonly string[] => [
  ...new Set([...Object.keys(months), ...Object.keys(lateMonths)].sort()),
];

const DAY_MS = 86_400_000;

/** Before it no fact of the series matters from `now` on. */
const firstNeeded = (
  series: Series,
  window: Window,
  { registeredAt }: Pick<Directory, 'registeredAt'>,
  { tz, weekStart }: Calendar,
  now: number,
): number => {
  const hasTotal = seriesKey(series) !== null;
  if ('last' in window) return rollingEdge(now, durationParts(window.last), tz).gone - 1;
  if ('period' in window) return Math.min(now, periodAt(now, window, { tz, weekStart }).from) - 1;
  if ('sinceRegistration' in window) return Math.min(now, Date.parse(registeredAt)) - 1;
  if ('ever' in window) return hasTotal ? now - 1 : -Infinity;
  // A date begins at most a day off where it does in UTC.
  if (window.from !== undefined) return Math.min(now, Date.parse(window.from) - DAY_MS);
  if (!hasTotal) return -Infinity;
  return Math.min(now, window.to === undefined ? now : Date.parse(window.to) - DAY_MS) - 1;
};
