import type { ContactFacts, Fact, Series } from '../facts';
import { earliestAfter, type Moment } from '../moment';
import type { EventLeaf, LastEventLeaf, SinceLeaf } from '../rule';
import { conjunction } from '../truth';
import { numberTruth, pathTruth } from '../value-tests';
import { evidenceIn, isYounger, nextMoveIn, nextTenureMove, tallyIn } from '../windows';
import { elapsedTruth, nextElapsedMove } from './elapsed';
import { idOf, type LeafKind } from './leaf-kind';

const eventSeries = ({ event, where }: EventLeaf): Series => ({
  event,
  ...(where !== undefined && { where }),
});

export const eventLeaf: LeafKind<EventLeaf> = {
  judge: (leaf, facts, moment) => {
    const { count } = tallyIn(eventSeries(leaf), leaf.window, facts, moment);
    const tooYoung =
      leaf.requireTenure === true &&
      facts.registeredAt !== null &&
      isYounger(leaf.window, facts.registeredAt, moment);
    return { truth: !tooYoung && numberTruth(leaf.count, count), value: count };
  },
  nextMove: (leaf, facts, moment) =>
    earliestAfter(moment.now, [
      nextMoveIn(eventSeries(leaf), leaf.window, facts, moment, ({ count }) =>
        numberTruth(leaf.count, count),
      ),
      leaf.requireTenure === true && facts.registeredAt !== null
        ? nextTenureMove(leaf.window, facts.registeredAt, moment)
        : null,
    ]),
  evidence: (leaf, facts, moment) => evidenceIn(eventSeries(leaf), leaf.window, facts, moment),
};

const lastOf = (series: Series, facts: ContactFacts, { now }: Moment): Fact | undefined =>
  facts.list(series, { after: -Infinity, upTo: now }, { order: 'newest', limit: 1 })[0];

const nextOf = (series: Series, facts: ContactFacts, { now }: Moment): number | null =>
  facts.list(series, { after: now, upTo: Infinity }, { order: 'oldest', limit: 1 })[0]?.at ?? null;

export const lastEventLeaf: LeafKind<LastEventLeaf> = {
  judge: ({ lastEvent, has }, facts, moment) => {
    const last = lastOf({ event: lastEvent }, facts, moment);
    if (last === undefined) return { truth: null };
    return { truth: conjunction(has.map((test) => pathTruth(test, last.fields))), value: last.fields };
  },
  nextMove: ({ lastEvent }, facts, moment) => nextOf({ event: lastEvent }, facts, moment),
  evidence: ({ lastEvent }, facts, moment) => idOf(lastOf({ event: lastEvent }, facts, moment)),
};

/** Null: the registration, which is no series. */
export const RECENCY_SERIES: Readonly<Record<SinceLeaf['since'], Series | null>> = {
  lastActivity: { activity: true },
  lastPurchase: { event: 'PurchaseRecorded' },
  lastCheckIn: { event: 'CheckedIn' },
  lastRedemption: { event: 'RewardRedeemed' },
  registration: null,
};

const sinceWhen = (leaf: SinceLeaf, facts: ContactFacts, moment: Moment): number | null => {
  const series = RECENCY_SERIES[leaf.since];
  return series === null ? facts.registeredAt : (lastOf(series, facts, moment)?.at ?? null);
};

export const sinceLeaf: LeafKind<SinceLeaf> = {
  judge: (leaf, facts, moment) => {
    const at = sinceWhen(leaf, facts, moment);
    if (at === null) return { truth: leaf.never === 'match' ? true : null };
    return { truth: elapsedTruth(leaf, at, moment), value: new Date(at).toISOString() };
  },
  nextMove: (leaf, facts, moment) => {
    const at = sinceWhen(leaf, facts, moment);
    const series = RECENCY_SERIES[leaf.since];
    return earliestAfter(moment.now, [
      at === null ? null : nextElapsedMove(leaf, at, moment),
      series === null ? null : nextOf(series, facts, moment),
    ]);
  },
  evidence: (leaf, facts, moment) => {
    const series = RECENCY_SERIES[leaf.since];
    return idOf(series === null ? facts.attribute('registeredAt') : lastOf(series, facts, moment));
  },
};
