import { periodAt, shift } from '../calendar';
import { durationParts } from '../duration';
import type { ContactFacts, Membership } from '../facts';
import { earliestAfter, type Moment } from '../moment';
import type { SegmentLeaf, Window } from '../rule';
import { stretchOf } from '../windows';
import type { LeafKind } from './leaf-kind';

export const segmentLeaf: LeafKind<SegmentLeaf> = {
  judge: (leaf, facts, moment) => {
    const stays = staysOf(leaf, facts);
    const { now, tz } = moment;
    const current = stays.find(({ from, to }) => from <= now && (to === null || now < to));
    const value = current !== undefined;
    switch (leaf.op) {
      case 'in':
        return { truth: value, value };
      case 'notIn':
        return { truth: !value, value };
      case 'inFor':
        return {
          truth: current !== undefined && shift(current.from, durationParts(leaf.value), 1, tz) <= now,
          value,
        };
      case 'wasIn':
        return { truth: stays.some((stay) => touches(stay, leaf.window, facts, moment)), value };
    }
  },
  nextMove: (leaf, facts, moment) => {
    const { now, tz } = moment;
    const stays = staysOf(leaf, facts);
    const moves: (number | null)[] = stays.flatMap(({ from, to }) => [from, to]);
    if (leaf.op === 'inFor') {
      for (const { from } of stays) moves.push(shift(from, durationParts(leaf.value), 1, tz));
    }
    if (leaf.op === 'wasIn' && 'last' in leaf.window) {
      for (const { to } of stays) {
        moves.push(to === null ? null : shift(to, durationParts(leaf.window.last), 1, tz));
      }
    }
    if (leaf.op === 'wasIn' && 'period' in leaf.window) {
      const { window } = leaf;
      const { from } = periodAt(now, window, moment);
      // The window only ever moves on: a stay that ended before it is never touched again.
      if (stays.some(({ to }) => to === null || to > from)) {
        moves.push(periodAt(now, { ...window, offset: 0 }, moment).to);
      }
    }
    return earliestAfter(now, moves);
  },
  evidence: () => [],
};

/** One stay for intervals that follow on each other, as they do when the segment's rule was edited in between. */
const staysOf = ({ segment }: SegmentLeaf, facts: ContactFacts): readonly Membership[] => {
  const stays: Membership[] = [];
  for (const { from, to } of facts.memberships(segment)) {
    const last = stays.at(-1);
    if (last !== undefined && last.to === from) stays[stays.length - 1] = { from: last.from, to };
    else stays.push({ from, to });
  }
  return stays;
};

const touches = ({ from, to }: Membership, window: Window, facts: ContactFacts, moment: Moment): boolean => {
  const { now, tz } = moment;
  if (from > now || from === to) return false;
  if ('last' in window) return to === null || now < shift(to, durationParts(window.last), 1, tz);
  const stretch = stretchOf(window, facts.registeredAt, moment);
  return stretch !== null && from < stretch.to && (to === null || stretch.from < to);
};
