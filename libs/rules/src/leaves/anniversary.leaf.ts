import { dateAt, isLeapYear, periodOfDate, shiftDate, startOfDate } from '../calendar';
import { durationParts } from '../duration';
import type { ContactFacts } from '../facts';
import { earliestAfter, type Moment } from '../moment';
import { isDate } from '../parse-values';
import { attributeType, type AnniversaryLeaf } from '../rule';
import { idOf, type LeafKind } from './leaf-kind';

const ONE_DAY = { months: 0, days: 1, ms: 0 };

/** True on the days on which an anniversary, of one year or more, is as near as asked for. */
export const anniversaryLeaf: LeafKind<AnniversaryLeaf> = {
  judge: (leaf, facts, moment) => {
    const date = dateOf(leaf, facts, moment);
    if (date === null) return { truth: null };
    const { today } = moment;
    const spans = spansAround(leaf, date, moment);
    const truth = spans.some(({ from, until }) => from <= today && today < until);
    return { truth, value: date };
  },
  nextMove: (leaf, facts, moment) => {
    const date = dateOf(leaf, facts, moment);
    if (date === null) return null;
    const edges = spansAround(leaf, date, moment).flatMap(({ from, until }) => [from, until]);
    return earliestAfter(
      moment.now,
      edges.map((edge) => startOfDate(edge, moment.tz)),
    );
  },
  evidence: (leaf, facts) => idOf(facts.attribute(leaf.anniversary)),
};

const dateOf = (leaf: AnniversaryLeaf, facts: ContactFacts, { tz }: Moment): string | null => {
  const value = facts.attribute(leaf.anniversary)?.value;
  if (typeof value === 'string' && attributeType(leaf.anniversary) === 'instant') {
    return dateAt(Date.parse(value), tz);
  }
  return isDate(value) ? value : null;
};

/** The days on which the leaf is true, `until` excluded, for the anniversaries that can matter within the next year. */
type Span = Readonly<{ from: string; until: string }>;
const spansAround = (leaf: AnniversaryLeaf, date: string, { today, weekStart }: Moment): readonly Span[] => {
  const first = Number(date.slice(0, 4)) + 1;
  const year = Number(today.slice(0, 4));
  // A period can be 120 years off, a stretch at most a year.
  const offset = 'window' in leaf ? yearsOff(leaf.window) : 0;
  const from = Math.max(first, year + offset - 1);
  const candidates = [0, 1, 2, 3].map((step) => from + step).filter((candidate) => candidate <= 9999);
  return candidates.map((candidate) => spanOf(leaf, anniversaryIn(candidate, date, leaf.feb29), weekStart));
};

const UNITS_A_YEAR = { day: 365, week: 52, month: 12, quarter: 4, year: 1 } as const;
const yearsOff = ({
  period,
  offset,
}: Readonly<{ period: keyof typeof UNITS_A_YEAR; offset: number }>): number =>
  Math.round(offset / UNITS_A_YEAR[period]);

const spanOf = (leaf: AnniversaryLeaf, kept: string, weekStart: Moment['weekStart']): Span => {
  if ('window' in leaf) {
    const { period, offset } = leaf.window;
    const { from, to } = periodOfDate(kept, { period, offset: -offset }, weekStart);
    return { from, until: to };
  }
  return {
    from: shiftDate(kept, durationParts(leaf.to), -1),
    until: shiftDate(shiftDate(kept, durationParts(leaf.from), -1), ONE_DAY, 1),
  };
};

const anniversaryIn = (year: number, date: string, feb29: AnniversaryLeaf['feb29']): string => {
  const text = String(year).padStart(4, '0');
  if (!date.endsWith('-02-29') || isLeapYear(year)) return `${text}${date.slice(4)}`;
  return feb29 === 'feb28' ? `${text}-02-28` : `${text}-03-01`;
};
