import { dependenciesOf, type Rule } from '@app/rules';
import {
  CyclicReferenceError,
  REFERENCE_DEPTH_MAX,
  ReferencesTooDeepError,
  UnknownReferenceError,
} from './segment.errors';

/** Which segments each segment's rule refers to, by id. */
export type References = ReadonlyMap<string, readonly string[]>;

export const referencesOf = (rule: Rule | null): readonly string[] =>
  rule === null ? [] : dependenciesOf(rule).segments;

/**
 * Whether a segment's rule may name these others. Throws UnknownReferenceError, CyclicReferenceError and, where any path of
 * references is longer than five edges (also one that leads through this segment), ReferencesTooDeepError.
 */
export const assertReferences = (
  segmentId: string,
  referred: readonly string[],
  others: References,
  isKnown: (segmentId: string) => boolean,
): void => {
  const unknown = referred.find((id) => id !== segmentId && !isKnown(id));
  if (unknown !== undefined) throw new UnknownReferenceError(unknown);
  const references = new Map(others).set(segmentId, referred);
  const cycle = cycleThrough(segmentId, references);
  if (cycle !== null) throw new CyclicReferenceError(cycle);
  const below = longestFrom(segmentId, references);
  const above = longestFrom(segmentId, reversed(references));
  if (below + above > REFERENCE_DEPTH_MAX) throw new ReferencesTooDeepError();
};

/** Every segment after those that it refers to; of equal ones, by id. References to what is not there are left out. */
export const topologicalOrder = (references: References): readonly string[] => {
  const order: string[] = [];
  const seen = new Set<string>();
  const visit = (id: string): void => {
    if (seen.has(id) || !references.has(id)) return;
    seen.add(id);
    for (const referred of [...(references.get(id) ?? [])].sort()) visit(referred);
    order.push(id);
  };
  for (const id of [...references.keys()].sort()) visit(id);
  return order;
};

/** Segments whose rules name this one. */
export const referrersOf = (segmentId: string, references: References): readonly string[] =>
  reversed(references).get(segmentId) ?? [];

const reversed = (references: References): References => {
  const back = new Map<string, string[]>();
  for (const [from, all] of references) {
    for (const to of all) back.set(to, [...(back.get(to) ?? []), from]);
  }
  return back;
};

/** A path from the segment back to itself; null: there is none. Each segment is looked at once. */
const cycleThrough = (segmentId: string, references: References): readonly string[] | null => {
  const seen = new Set<string>();
  const search = (id: string, path: readonly string[]): readonly string[] | null => {
    for (const next of references.get(id) ?? []) {
      if (next === segmentId) return [...path, next];
      if (seen.has(next)) continue;
      seen.add(next);
      const found = search(next, [...path, next]);
      if (found !== null) return found;
    }
    return null;
  };
  return search(segmentId, [segmentId]);
};

/** How many edges the longest path from a segment has; there are no cycles left here. */
const longestFrom = (segmentId: string, references: References): number => {
  const known = new Map<string, number>();
  const depthOf = (id: string): number => {
    const before = known.get(id);
    if (before !== undefined) return before;
    const depth = Math.max(0, ...(references.get(id) ?? []).map((next) => 1 + depthOf(next)));
    known.set(id, depth);
    return depth;
  };
  return depthOf(segmentId);
};
