import { ageOn, dateAt, periodOfDate, shiftDate, startOfDate, type Calendar } from '../calendar';
import { durationParts } from '../duration';
import type { AttributeValue, ContactFacts, Known } from '../facts';
import { foldText } from '../fold-text';
import { earliestAfter, type Moment } from '../moment';
import { isDate } from '../parse-values';
import {
  attributeType,
  type AttributeLeaf,
  type AttributeName,
  type BooleanTest,
  type DurationTest,
  type NumberTest,
  type PresenceTest,
  type SetTest,
  type TextTest,
  type TimeTest,
} from '../rule';
import type { Truth } from '../truth';
import { numberTruth, setTruth, textTruth, valueTruth } from '../value-tests';
import { elapsedTruth, nextElapsedMove } from './elapsed';
import { idOf, type LeafKind } from './leaf-kind';

/** What a derived attribute is derived from. */
const SOURCES: Readonly<Partial<Record<AttributeName, AttributeName>>> = {
  age: 'profile.birthday',
  tenure: 'registeredAt',
};

const knownOf = (name: AttributeName, facts: ContactFacts): Known<AttributeValue> | undefined =>
  facts.attribute(SOURCES[name] ?? name);

export const attributeLeaf: LeafKind<AttributeLeaf> = {
  judge: (leaf, facts, moment) => {
    const value = knownOf(leaf.attr, facts)?.value ?? (leaf.attr === 'tags' ? [] : undefined);
    const shown = leaf.attr === 'age' && isDate(value) ? ageOn(value, moment.today) : value;
    return { truth: truthOf(leaf, value, moment), ...(shown !== undefined && { value: shown }) };
  },
  nextMove: (leaf, facts, moment) => {
    const value = knownOf(leaf.attr, facts)?.value;
    return typeof value === 'string' ? nextMoveOf(leaf, value, moment) : null;
  },
  evidence: (leaf, facts) => idOf(knownOf(leaf.attr, facts)),
};

const truthOf = (leaf: AttributeLeaf, value: AttributeValue | undefined, moment: Moment): Truth => {
  if (leaf.op === 'isSet') return value !== undefined;
  if (leaf.op === 'isUnset') return value === undefined;
  if (value === undefined) return null;
  const type = attributeType(leaf.attr);
  if (type === 'set') return setTruth(leaf as SetTest, value as readonly string[]);
  if (type === 'custom') return customTruth(leaf, value, moment);
  // Whatever else there is, is a text.
  const text = value as string;
  switch (type) {
    case 'text':
      return textTruth(leaf as TextTest, text);
    case 'folded':
      return textTruth(leaf as TextTest, text, foldText);
    case 'date':
      return isDate(text) ? dateTruth(leaf as TimeTest, text, moment) : null;
    case 'instant':
      return instantTruth(leaf as TimeTest, Date.parse(text), moment);
    case 'age':
      return isDate(text) ? numberTruth(leaf as NumberTest, ageOn(text, moment.today)) : null;
    case 'tenure':
      return elapsedTruth(leaf as DurationTest, Date.parse(text), moment);
  }
};

const TIME_OPERATORS: ReadonlySet<string> = new Set([
  'before',
  'after',
  'olderThan',
  'newerThan',
  'inPeriod',
]);

/** Whether a test of a custom field is one of a date. */
const asksForDate = (leaf: AttributeLeaf): boolean =>
  TIME_OPERATORS.has(leaf.op) || (leaf.op === 'between' && typeof leaf.value[0] === 'string');

const customTruth = (leaf: AttributeLeaf, value: AttributeValue, moment: Moment): Truth => {
  if (!asksForDate(leaf)) return valueTruth(leaf as TextTest | NumberTest | BooleanTest | SetTest, value);
  return isDate(value) ? dateTruth(leaf as TimeTest, value, moment) : null;
};

const dateTruth = (test: TimeTest, date: string, moment: Moment): boolean => {
  switch (test.op) {
    case 'before':
      return date < test.value;
    case 'after':
      return date > test.value;
    case 'between':
      return test.value[0] <= date && date <= test.value[1];
    case 'olderThan':
      return shiftDate(date, durationParts(test.value), 1) < moment.today;
    case 'newerThan':
      return shiftDate(date, durationParts(test.value), 1) > moment.today;
    case 'inPeriod': {
      const { from, to } = periodOfDate(moment.today, test.value, moment.weekStart);
      return from <= date && date < to;
    }
  }
};

const instantTruth = (test: TimeTest, instant: number, moment: Moment): boolean => {
  switch (test.op) {
    case 'before':
      return instant < Date.parse(test.value);
    case 'after':
      return instant > Date.parse(test.value);
    case 'between':
      return Date.parse(test.value[0]) <= instant && instant <= Date.parse(test.value[1]);
    case 'olderThan':
      return elapsedTruth({ op: 'gt', value: test.value }, instant, moment);
    case 'newerThan':
      return elapsedTruth({ op: 'lt', value: test.value }, instant, moment);
    case 'inPeriod':
      return dateTruth(test, dateAt(instant, moment.tz), moment);
  }
};

const nextMoveOf = (leaf: AttributeLeaf, text: string, moment: Moment): number | null => {
  switch (attributeType(leaf.attr)) {
    case 'age':
      return isDate(text) ? nextAgeMove(leaf as NumberTest | PresenceTest, text, moment) : null;
    case 'tenure':
      return leaf.op === 'isSet' || leaf.op === 'isUnset'
        ? null
        : nextElapsedMove(leaf as DurationTest, Date.parse(text), moment);
    case 'instant':
      return nextInstantMove(leaf as TimeTest, Date.parse(text), moment);
    case 'date':
    case 'custom':
      return isDate(text) ? nextDateMove(leaf as TimeTest, text, moment) : null;
    default:
      return null;
  }
};

/**
 * The birthdays on which an age that is asked for is reached or left behind. Who was born on 29 February is a year older from
 * 1 March in years without that day, as in ageOn.
 */
const nextAgeMove = (
  test: NumberTest | PresenceTest,
  birthday: string,
  { now, tz }: Moment,
): number | null => {
  if (test.op === 'isSet' || test.op === 'isUnset') return null;
  const asked = typeof test.value === 'number' ? [test.value] : test.value;
  const birth = Number(birthday.slice(0, 4));
  const years = asked.flatMap((age) => [birth + age, birth + age + 1]);
  return earliestAfter(
    now,
    years
      .filter((year) => year >= 0 && year <= 9999)
      .map((year) => {
        const text = String(year).padStart(4, '0');
        const date = `${text}${birthday.slice(4)}`;
        return startOfDate(isDate(date) ? date : `${text}-03-01`, tz);
      }),
  );
};

const nextDateMove = (test: TimeTest, date: string, { now, tz, weekStart }: Moment): number | null => {
  switch (test.op) {
    case 'olderThan':
    case 'newerThan': {
      const edge = shiftDate(date, durationParts(test.value), 1);
      return earliestAfter(now, [startOfDate(edge, tz), startOfDate(nextDay(edge), tz)]);
    }
    case 'inPeriod':
      return earliestAfter(now, periodEdges(date, test, { tz, weekStart }));
    default:
      return null;
  }
};

const nextInstantMove = (test: TimeTest, instant: number, moment: Moment): number | null => {
  switch (test.op) {
    case 'olderThan':
    case 'newerThan':
      return nextElapsedMove({ op: 'gt', value: test.value }, instant, moment);
    case 'inPeriod':
      return earliestAfter(moment.now, periodEdges(dateAt(instant, moment.tz), test, moment));
    default:
      return null;
  }
};

/** A date lies in the period that is `offset` from now's while now lies in the one that is as far the other way from its own. */
const periodEdges = (
  date: string,
  { value: { period, offset } }: Extract<TimeTest, { op: 'inPeriod' }>,
  { tz, weekStart }: Calendar,
): number[] => {
  const { from, to } = periodOfDate(date, { period, offset: -offset }, weekStart);
  return [startOfDate(from, tz), startOfDate(to, tz)];
};

const nextDay = (date: string): string => shiftDate(date, { months: 0, days: 1, ms: 0 }, 1);
