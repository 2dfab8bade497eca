import { afterPrefix } from '../bson/key-encoding';
import { Path } from '../bson/path';
import { Collection } from '../storage/collection';
import { Index, KEY_CUT, KEY_LENGTH_MAX } from '../storage/index-key';
import { KeyRange, Store } from '../storage/store';
import { Filter, Predicate } from './filter';
import {
  bytesOfInterval,
  bytesOfPoint,
  covers,
  intersect,
  Interval,
  intervalsOf,
  isSinglePoint,
  mayHoldNull,
} from './intervals';

export type SortField = Readonly<{ path: Path; descending: boolean }>;

/** How a query gets at its documents. */
export type Plan =
  | Readonly<{ kind: 'collection' }>
  | Readonly<{ kind: 'nothing' }>
  | Readonly<{ kind: 'index'; index: Index; ranges: readonly Range[]; reverse: boolean; sorted: boolean }>;

/** Part of an index; a point of a unique index has at most one entry, whose key is `start`. */
export type Range = KeyRange & Readonly<{ point: boolean }>;

/** More alternatives than this are not told apart. */
const BRANCHES_MAX = 64;
const RANGES_MAX = 100_000;
/** With fewer entries than this behind a filter, reading and sorting them beats walking in order. */
const FEW_ENTRIES = 2_000;
const FIRST_COUNT = 64;

type Branch = ReadonlyMap<string, readonly Predicate[]>;

/** The filter as alternatives, each a list of tests by path. Tests that do not fit are left out: plans may find too much. */
const branchesOf = (filter: Filter): readonly Branch[] => {
  let branches: Map<string, Predicate[]>[] = [new Map()];
  const conjuncts = (part: Filter): void => {
    if (part.kind === 'and') return part.parts.forEach(conjuncts);
    if (part.kind === 'field') {
      for (const branch of branches) {
        branch.set(part.path.text, [...(branch.get(part.path.text) ?? []), part.predicate]);
      }
    } else if (part.kind === 'or') {
      const alternatives = part.parts.flatMap((alternative) => branchesOf(alternative));
      if (branches.length * alternatives.length > BRANCHES_MAX) return;
      branches = branches.flatMap((branch) => alternatives.map((alternative) => joined(branch, alternative)));
    }
  };
  conjuncts(filter);
  return branches;
};

const joined = (a: Branch, b: Branch): Map<string, Predicate[]> => {
  const both = new Map<string, Predicate[]>([...a].map(([path, predicates]) => [path, [...predicates]]));
  for (const [path, predicates] of b) both.set(path, [...(both.get(path) ?? []), ...predicates]);
  return both;
};

const intervalsAt = (branch: Branch, index: Index, position: number): readonly Interval[] | undefined => {
  const found: (readonly Interval[])[] = [];
  for (const predicate of branch.get(index.fields[position]!.path.text) ?? []) {
    const intervals = intervalsOf(predicate);
    if (intervals) found.push(intervals);
  }
  if (found.length === 0) return undefined;
  if (!index.stored.multikey[position]) return found.reduce((left, right) => intersect(left, right));
  // Different elements of an array may satisfy different tests: only one of them can bound the walk.
  return found.reduce((best, next) =>
    best.every(isSinglePoint) ? best : next.every(isSinglePoint) ? next : best,
  );
};

/** A partial or sparse index serves a query only if it has all that the query can find. */
const isUsable = (index: Index, branches: readonly Branch[]): boolean => {
  if (index.stored.building) return false;
  if (index.stored.sparse) {
    const isBound = (branch: Branch) =>
      index.paths.some((path) => excludesMissing(branch.get(path.text) ?? []));
    if (!branches.every(isBound)) return false;
  }
  return !index.partial || branches.every((branch) => implies(branch, index.partial!));
};

const excludesMissing = (predicates: readonly Predicate[]): boolean =>
  predicates.some((predicate) => {
    if (predicate.op === 'exists') return predicate.expected;
    const intervals = intervalsOf(predicate);
    return intervals !== undefined && !mayHoldNull(intervals);
  });

const implies = (branch: Branch, condition: Filter): boolean => {
  if (condition.kind === 'and') return condition.parts.every((part) => implies(branch, part));
  if (condition.kind !== 'field') return false;
  const own = branch.get(condition.path.text) ?? [];
  const { predicate } = condition;
  if (predicate.op === 'exists') return predicate.expected && excludesMissing(own);
  if (!['eq', 'in', 'gt', 'gte', 'lt', 'lte'].includes(predicate.op)) return false;
  const outer = intervalsOf(predicate);
  return (
    outer !== undefined &&
    own.some((test) => {
      const inner = intervalsOf(test);
      return inner !== undefined && covers(outer, inner);
    })
  );
};

type Bounds = Readonly<{ ranges: readonly Range[]; points: readonly boolean[]; bounded: number }>;

/** The parts of an index that a branch can be in. */
const boundsOf = (branch: Branch, index: Index): Bounds => {
  let prefixes: Buffer[] = [index.prefix];
  const points: boolean[] = [];
  let arrayBounded = false;
  for (const [position, field] of index.fields.entries()) {
    const isArray = index.stored.multikey[position]!;
    // Tests on two paths of one array may hold for different elements.
    const intervals = isArray && arrayBounded ? undefined : intervalsAt(branch, index, position);
    if (!intervals) break;
    arrayBounded ||= isArray;
    const allPoints = intervals.every(isSinglePoint);
    if (!allPoints || prefixes.length * intervals.length > RANGES_MAX) {
      const bytes = intervals.map((interval) => bytesOfInterval(interval, field.descending));
      const ranges = prefixes.flatMap((prefix) =>
        bytes.map(([start, end]) =>
          rangeBetween(
            Buffer.concat([prefix, start]),
            end.length > 0 ? Buffer.concat([prefix, end]) : afterPrefix(prefix),
          ),
        ),
      );
      return { ranges, points, bounded: position + 1 };
    }
    const bytes = intervals.map((interval) => bytesOfPoint(interval, field.descending));
    prefixes = prefixes.flatMap((prefix) => bytes.map((point) => Buffer.concat([prefix, point])));
    points.push(intervals.length === 1);
  }
  const isWhole = points.length === index.fields.length && index.stored.unique;
  const ranges = prefixes.map((prefix) =>
    prefix.length > KEY_LENGTH_MAX
      ? rangeBetween(prefix, afterPrefix(prefix))
      : { start: prefix, end: afterPrefix(prefix), point: isWhole },
  );
  return { ranges, points, bounded: points.length };
};

/** Keys that are too long are cut in the index, so bounds are, too. */
const rangeBetween = (start: Buffer, end: Buffer): Range => {
  const limit = KEY_CUT + 4;
  return {
    start: start.length > limit ? start.subarray(0, limit) : start,
    end: end.length > limit ? afterPrefix(end.subarray(0, limit)) : end,
    point: false,
  };
};

const merged = (ranges: readonly Range[]): Range[] => {
  const sorted = [...ranges].sort((a, b) => a.start.compare(b.start));
  const result: Range[] = [];
  for (const range of sorted) {
    const last = result.at(-1);
    if (last && range.start.compare(last.end) < 0) {
      if (range.end.compare(last.end) > 0)
        result[result.length - 1] = { start: last.start, end: range.end, point: false };
    } else result.push(range);
  }
  return result;
};

type Candidate = Readonly<{
  index: Index;
  ranges: readonly Range[];
  bounded: boolean;
  /** The paths whose tests bound it, by branch. */
  held: readonly (readonly string[])[];
  order: 'forward' | 'reverse' | undefined;
}>;

const candidateOf = (index: Index, branches: readonly Branch[], sort: readonly SortField[]): Candidate => {
  const bounds = branches.map((branch) => boundsOf(branch, index));
  const ranges = merged(bounds.flatMap((part) => part.ranges));
  // A field is settled if all branches hold it to one and the same value.
  const settled = index.fields.map((_, position) => {
    const same = bounds.every((part) => part.points[position] === true);
    return (
      same &&
      (bounds.length === 1 || branches.every((branch) => sameAt(branch, branches[0]!, index, position)))
    );
  });
  const isBounded = index.fields.map((_, position) => bounds.some((part) => part.bounded > position));
  return {
    index,
    ranges,
    bounded: bounds.every((part) => part.bounded > 0),
    held: bounds.map((part) => index.paths.slice(0, part.bounded).map(({ text }) => text)),
    order: sort.length === 0 || index.stored.inexact ? undefined : orderOf(index, sort, settled, isBounded),
  };
};

const sameAt = (a: Branch, b: Branch, index: Index, position: number): boolean => {
  const [left, right] = [intervalsAt(a, index, position), intervalsAt(b, index, position)];
  return left?.length === 1 && right?.length === 1 && left[0]!.low.bytes.equals(right[0]!.low.bytes);
};

/** Which way to walk the index so that documents come in the order asked for, if there is one. */
const orderOf = (
  index: Index,
  sort: readonly SortField[],
  settled: readonly boolean[],
  bounded: readonly boolean[],
): 'forward' | 'reverse' | undefined => {
  const { multikey } = index.stored;
  let reverse: boolean | undefined;
  let position = 0;
  for (const { path, descending } of sort) {
    const isSettled = (at: number) => settled[at]! && !multikey[at];
    const settledAt = index.fields.findIndex((field, at) => field.path.text === path.text && isSettled(at));
    if (settledAt >= 0 && index.fields[position]?.path.text !== path.text) continue;
    while (
      position < index.fields.length &&
      index.fields[position]!.path.text !== path.text &&
      settled[position]
    ) {
      position += 1;
    }
    const field = index.fields[position];
    if (field?.path.text !== path.text) return undefined;
    if (multikey[position] && bounded[position]) return undefined;
    if (!isSettled(position)) {
      const against = field.descending !== descending;
      if (reverse !== undefined && reverse !== against) return undefined;
      reverse = against;
    }
    position += 1;
  }
  return reverse ? 'reverse' : 'forward';
};

/** Entries behind a candidate, counted no further than `limit`. */
const countUpTo = (store: Store, { index, ranges }: Candidate, limit: number): number => {
  if (index.stored.unique && ranges.every((range) => range.point)) return ranges.length;
  let count = 0;
  for (const range of ranges) {
    if (count >= limit) break;
    count += store.keys(range, limit - count).length;
  }
  return count;
};

const planOf = ({ index, ranges, order }: Candidate): Plan =>
  ranges.length === 0
    ? { kind: 'nothing' }
    : { kind: 'index', index, ranges, reverse: order === 'reverse', sorted: order !== undefined };

/**
 * Chooses how to find the documents of a filter, in the order of `sort` if an index gives it. Where filter and order
 * point to different indexes, entries are counted up to a bound: few are read and sorted, of many the order's index is
 * walked and filtered, so that a page costs about the square root of (its length × the collection's) at most.
 */
export const plan = (
  store: Store,
  collection: Collection,
  filter: Filter,
  sort: readonly SortField[],
): Plan => {
  const branches = branchesOf(filter);
  // The way of most queries needs no choice, and one document no sorting.
  const byId = candidateOf(collection.idIndex, branches, sort);
  if (byId.bounded && byId.ranges.length === 1 && byId.ranges[0]!.point)
    return planOf({ ...byId, order: 'forward' });
  const candidates = collection.indexes
    .filter((index) => isUsable(index, branches))
    .map((index) => (index === byId.index ? byId : candidateOf(index, branches, sort)));

  const [walk] = candidates.filter((candidate) => candidate.order !== undefined).sort(byNarrowness);
  // Where two find as many, the one that gives the order is better.
  const bounded = candidates
    .filter((candidate) => candidate.bounded && !(walk && candidate !== walk && isWithin(walk, candidate)))
    .sort((a, b) => Number(b === walk) - Number(a === walk) || byNarrowness(a, b));
  // With one choice there is nothing to count.
  const isOnlyChoice = bounded.length === 1 && (!walk || walk === bounded[0]);
  const best = isOnlyChoice ? bounded[0] : fewest(store, bounded);
  const chosen = best ?? walk ?? bounded[0];
  return chosen ? planOf(chosen) : { kind: 'collection' };
};

/** Whether one is held by all that holds the other, so that it cannot find more: a stretch of ties, beside all ids behind one. */
const isWithin = (one: Candidate, other: Candidate): boolean =>
  !one.index.stored.multikey.some(Boolean) &&
  other.held.every((paths, branch) => paths.every((path) => one.held[branch]!.includes(path)));

/** The candidate with the fewest entries, if any has few. Counts all of them a little further each time. */
const fewest = (store: Store, candidates: readonly Candidate[]): Candidate | undefined => {
  for (let limit = FIRST_COUNT; candidates.length > 0; limit = Math.min(limit * 4, FEW_ENTRIES)) {
    let best: Candidate | undefined;
    let least = limit;
    for (const candidate of candidates) {
      const count = countUpTo(store, candidate, least);
      if (count >= least) continue;
      best = candidate;
      least = count;
    }
    if (best || limit === FEW_ENTRIES) return best;
  }
  return undefined;
};

const byNarrowness = (a: Candidate, b: Candidate): number =>
  Number(b.bounded) - Number(a.bounded) || narrowness(b) - narrowness(a);

/** How many bytes are held to one value: a guess at which of two walks is shorter. */
const narrowness = ({ ranges }: Candidate): number =>
  Math.max(0, ...ranges.slice(0, 8).map((range) => range.start.length));
