import { shift } from '../calendar';
import { durationParts } from '../duration';
import type { ContactFacts, Series, Tally } from '../facts';
import { earliestAfter, type Moment } from '../moment';
import type { EventLeaf, MetricLeaf, MetricRef, NumberTest, PresenceTest, Window } from '../rule';
import type { Truth } from '../truth';
import { numberTruth, quotientTruth } from '../value-tests';
import { evidenceIn, nextMoveIn, tallyIn, type TruthIn } from '../windows';
import type { LeafKind } from './leaf-kind';

const EVER: Window = { ever: true };

export const metricLeaf: LeafKind<MetricLeaf> = {
  judge: (leaf, facts, moment) => {
    const figure = figureOf(leaf, facts, moment);
    const value =
      figure.count === null ? figure.sum : figure.count === 0 ? undefined : figure.sum / figure.count;
    return { truth: truthOf(leaf, figure), ...(value !== undefined && { value }) };
  },
  nextMove: (leaf, facts, moment) =>
    leaf.metric === 'points.expiringWithin'
      ? nextExpiryMove(leaf, facts, moment)
      : nextMoveIn(seriesOf(leaf), leaf.window ?? EVER, facts, moment, truthIn(leaf)),
  evidence: (leaf, facts, moment) =>
    leaf.metric === 'points.expiringWithin'
      ? []
      : evidenceIn(seriesOf(leaf), leaf.window ?? EVER, facts, moment),
};

const truthIn = (leaf: MetricLeaf): TruthIn =>
  // A share is taken of two tallies.
  leaf.metric === 'purchases.shareAt' ? null : (tally) => truthOf(leaf, figureIn(leaf, tally));

/** A figure, or (with a count) the quotient of two. */
export type Figure = Readonly<{ sum: number; count: number | null }>;

const truthOf = (test: NumberTest | PresenceTest, { sum, count }: Figure): Truth => {
  if (test.op === 'isSet') return count !== 0;
  if (test.op === 'isUnset') return count === 0;
  if (count === null) return numberTruth(test, sum);
  return count === 0 ? null : quotientTruth(test, sum, count);
};

/** Whether a test can hold of who has nothing that is counted or added up. */
export const canHoldOfNothing = (leaf: MetricLeaf | EventLeaf): boolean =>
  ('event' in leaf ? numberTruth(leaf.count, 0) : truthOf(leaf, figureIn(leaf, { sum: 0, count: 0 }))) ===
  true;

/** What a metric amounts to at a moment; what a ranking goes by as well. */
export const figureOf = (ref: MetricRef, facts: ContactFacts, moment: Moment): Figure => {
  if (ref.metric === 'points.expiringWithin') return { sum: expiring(ref, facts, moment), count: null };
  const tally = (series: Series): Tally => tallyIn(series, ref.window ?? EVER, facts, moment);
  const all = tally(seriesOf(ref));
  if (ref.metric !== 'purchases.shareAt') return figureIn(ref, all);
  const there = tally(atLocation(ref.locationId ?? ''));
  return { sum: 100 * there.count, count: all.count };
};

const figureIn = ({ metric }: MetricRef, { sum, count }: Tally): Figure => {
  switch (metric) {
    case 'purchases.average':
      return { sum, count };
    case 'purchases.count':
    case 'checkIns.count':
    case 'redemptions.count':
    case 'messages.count':
      return { sum: count, count: null };
    default:
      return { sum, count: null };
  }
};

/** What a metric counts or adds up. */
export const seriesOf = ({ metric, pool = '', currency = '' }: MetricRef): Series => {
  switch (metric) {
    case 'points.balance':
    case 'points.expiringWithin':
      return { points: 'balance', pool };
    case 'points.earned':
      return { points: 'earned', pool };
    case 'points.spent':
      return { points: 'spent', pool };
    case 'purchases.count':
    case 'purchases.shareAt':
      return { event: 'PurchaseRecorded' };
    case 'purchases.spend':
    case 'purchases.average':
      return { spend: currency };
    case 'checkIns.count':
      return { event: 'CheckedIn' };
    case 'redemptions.count':
      return { event: 'RewardRedeemed' };
    case 'messages.count':
      return { event: 'MessageSent' };
  }
};

/** What a share is taken of, beside all purchases. */
export const atLocation = (value: string): Series => ({
  event: 'PurchaseRecorded',
  where: [{ path: 'locationId', op: 'eq', value }],
});

/** A lot counts from so long before it expires until it does. */
const spansOf = ({ pool = '', within = 'P0D' }: MetricRef, facts: ContactFacts, { tz }: Moment) =>
  facts.lots(pool).map(({ points, expiresAt }) => ({
    points,
    from: shift(expiresAt, durationParts(within), -1, tz),
    until: expiresAt,
  }));

const expiring = (ref: MetricRef, facts: ContactFacts, moment: Moment): number =>
  spansOf(ref, facts, moment)
    .filter(({ from, until }) => from <= moment.now && moment.now < until)
    .reduce((sum, { points }) => sum + points, 0);

const nextExpiryMove = (ref: MetricRef, facts: ContactFacts, moment: Moment): number | null =>
  earliestAfter(
    moment.now,
    spansOf(ref, facts, moment).flatMap(({ from, until }) => [from, until]),
  );
