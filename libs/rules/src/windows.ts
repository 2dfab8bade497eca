import { periodAt, rollingEdge, shift, slackOf, startOfDate, type Stretch } from './calendar';
import { durationParts } from './duration';
import type { ContactFacts, Fact, Range, Series, Tally } from './facts';
import { earliestAfter, type Moment } from './moment';
import { isDate } from './parse-values';
import type { Window } from './rule';
import type { Truth } from './truth';

/** So many of the newest facts are named as evidence. */
const EVIDENCE_MAX = 20;

type Axis = { axis?: 'recorded' };
const axisOf = ({ axis }: Window): Axis => (axis === undefined ? {} : { axis });

/** `[from, to)` of a window that does not roll; null where the contact is not registered yet. */
export const stretchOf = (
  window: Exclude<Window, { last: string }>,
  registeredAt: number | null,
  moment: Moment,
): Stretch | null => {
  if ('period' in window) return periodAt(moment.now, window, moment);
  if ('sinceRegistration' in window) {
    if (registeredAt === null) return null;
    const to = shift(registeredAt, durationParts(window.sinceRegistration), 1, moment.tz);
    return { from: registeredAt, to };
  }
  if ('ever' in window) return { from: -Infinity, to: Infinity };
  return {
    from: window.from === undefined ? -Infinity : instantOf(window.from, moment.tz),
    to: window.to === undefined ? Infinity : instantOf(window.to, moment.tz),
  };
};

const instantOf = (text: string, tz: string): number =>
  isDate(text) ? startOfDate(text, tz) : Date.parse(text);

/** How many facts of a series lie in a window at a moment, and their sum. What is dated later has not happened yet. */
export const tallyIn = (series: Series, window: Window, facts: ContactFacts, moment: Moment): Tally => {
  const { sure, asked } = partsOf(window, facts, moment);
  const tally = facts.tally(series, sure);
  if (asked === null) return tally;
  return askedFacts(series, asked, facts).reduce(
    ({ count, sum }, fact) => ({ count: count + fact.count, sum: sum + fact.amount }),
    tally,
  );
};

/** The newest facts of a series in a window. */
export const evidenceIn = (
  series: Series,
  window: Window,
  facts: ContactFacts,
  moment: Moment,
): readonly string[] => {
  const { sure, asked } = partsOf(window, facts, moment);
  const newest = facts.list(series, sure, { order: 'newest', limit: EVIDENCE_MAX });
  const older = asked === null ? [] : [...askedFacts(series, asked, facts)].reverse();
  return [...newest, ...older].slice(0, EVIDENCE_MAX).map(({ eventId }) => eventId);
};

type Asked = Readonly<{ range: Range; isIn: (fact: Fact) => boolean }>;
/** A window in two parts: where all facts are in it, and where each has to be asked. */
type Parts = Readonly<{ sure: Range; asked: Asked | null }>;

const partsOf = (window: Window, facts: ContactFacts, moment: Moment): Parts => {
  const { now, tz } = moment;
  const axis = axisOf(window);
  if (!('last' in window)) {
    const { from, to } = stretchOf(window, facts.registeredAt, moment) ?? { from: 0, to: 0 };
    return { sure: { after: from - 1, upTo: Math.min(to - 1, now), ...axis }, asked: null };
  }
  const duration = durationParts(window.last);
  const { gone, safe } = rollingEdge(now, duration, tz);
  const sure = { after: Math.min(safe, now), upTo: now, ...axis };
  if (gone === safe) return { sure, asked: null };
  const isIn = ({ at }: Fact): boolean => shift(at, duration, 1, tz) > now;
  return { sure, asked: { range: { after: gone, upTo: sure.after, ...axis }, isIn } };
};

/** There are only days between what is surely in a window and what is surely out of it. */
const askedFacts = (series: Series, { range, isIn }: Asked, facts: ContactFacts): readonly Fact[] =>
  facts.list(series, range, { order: 'oldest', limit: Infinity }).filter(isIn);

/** What a tally comes to for a leaf; null: every tally to something else. */
export type TruthIn = ((tally: Tally) => Truth) | null;

/**
 * When a fact that is not in the window yet, or is in it now, next comes or goes such that the tally comes to something else;
 * null where that never happens. Sometimes earlier, which is harmless.
 */
export const nextMoveIn = (
  series: Series,
  window: Window,
  facts: ContactFacts,
  moment: Moment,
  truthIn: TruthIn,
): number | null => {
  if ('last' in window) return nextRollingMove(series, window, facts, moment, truthIn);
  const { now } = moment;
  const axis = axisOf(window);
  const [coming] = facts.list(series, { after: now, upTo: Infinity, ...axis }, { order: 'oldest', limit: 1 });
  const moves: (number | null)[] = [coming?.at ?? null];
  if ('period' in window) {
    const { from } = periodAt(now, window, moment);
    const ahead = { after: from - 1, upTo: Infinity, ...axis };
    // The window only ever moves on: with no fact ahead of its start it stays empty.
    if (facts.list(series, ahead, { order: 'oldest', limit: 1 }).length > 0) {
      moves.push(periodAt(now, { ...window, offset: 0 }, moment).to);
    }
  }
  return earliestAfter(now, moves);
};

/** So many facts that come, and as many that go, are looked through; then the caller is asked to come back. */
const MOVES_MAX = 64;

type RollingWindow = Extract<Window, { last: string }>;
type Move = Readonly<{ at: number; sign: 1 | -1; fact: Fact }>;

const nextRollingMove = (
  series: Series,
  window: RollingWindow,
  facts: ContactFacts,
  moment: Moment,
  truthIn: TruthIn,
): number | null => {
  const { moves, horizon } = movesAhead(series, window, facts, moment);
  if (moves.length === 0) return null;
  let { count, sum } = tallyIn(series, window, facts, moment);
  const truth = truthIn?.({ count, sum });
  for (const [n, { at, sign, fact }] of moves.entries()) {
    [count, sum] = [count + sign * fact.count, sum + sign * fact.amount];
    if (moves[n + 1]?.at === at) continue;
    if (at >= horizon || truthIn === null || truthIn({ count, sum }) !== truth) return at;
  }
  return null;
};

/** What comes into a rolling window and leaves it, in order of time; complete before the horizon. */
const movesAhead = (
  series: Series,
  window: RollingWindow,
  facts: ContactFacts,
  { now, tz }: Moment,
): Readonly<{ moves: readonly Move[]; horizon: number }> => {
  const duration = durationParts(window.last);
  const { gone } = rollingEdge(now, duration, tz);
  const range = { after: gone, upTo: Infinity, ...axisOf(window) };
  const moves: Move[] = [];
  let [coming, going, lastGoing, horizon] = [0, 0, Infinity, Infinity];
  for (const fact of facts.list(series, range, { order: 'oldest', limit: Infinity })) {
    if (fact.at > now && coming < MOVES_MAX) {
      moves.push({ at: fact.at, sign: 1, fact });
      coming += 1;
      if (coming === MOVES_MAX) horizon = Math.min(horizon, fact.at);
    }
    const exit = fact.at < lastGoing ? shift(fact.at, duration, 1, tz) : now;
    if (exit <= now) continue;
    moves.push({ at: exit, sign: -1, fact });
    going += 1;
    if (going !== MOVES_MAX) continue;
    horizon = Math.min(horizon, exit);
    // Where months are clamped or clocks are changed, a later fact can be gone sooner.
    lastGoing = fact.at + slackOf(duration, tz);
  }
  return { moves: moves.sort((one, other) => one.at - other.at), horizon };
};

/** Whether a contact was registered after the beginning of a window. */
export const isYounger = (window: Window, registeredAt: number, moment: Moment): boolean => {
  const age = tenureNeeded(window);
  if (age !== null) return shift(registeredAt, durationParts(age), 1, moment.tz) > moment.now;
  return (
    registeredAt > (stretchOf(window as Exclude<Window, { last: string }>, registeredAt, moment)?.from ?? 0)
  );
};

/** When isYounger next changes. */
export const nextTenureMove = (window: Window, registeredAt: number, moment: Moment): number | null => {
  const age = tenureNeeded(window);
  if (age !== null) {
    return earliestAfter(moment.now, [shift(registeredAt, durationParts(age), 1, moment.tz)]);
  }
  return 'period' in window && isYounger(window, registeredAt, moment)
    ? periodAt(moment.now, { ...window, offset: 0 }, moment).to
    : null;
};

const tenureNeeded = (window: Window): string | null => {
  if ('last' in window) return window.last;
  return 'sinceRegistration' in window ? window.sinceRegistration : null;
};
