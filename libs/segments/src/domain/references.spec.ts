import { parseRule } from '@app/rules';
import fc from 'fast-check';
import {
  assertReferences as assertAllowed,
  referencesOf,
  referrersOf,
  topologicalOrder,
  type References,
} from './references';
import {
  CyclicReferenceError,
  REFERENCE_DEPTH_MAX,
  ReferencesTooDeepError,
  UnknownReferenceError,
} from './segment.errors';

const refersTo = (...segments: string[]) =>
  referencesOf(
    parseRule({ any: [{ everyone: true }, ...segments.map((segment) => ({ segment, op: 'in' }))] }),
  );
const assertReferences = (segmentId: string, referred: readonly string[], known: References) =>
  assertAllowed(segmentId, referred, known, (id) => known.has(id));
/** s0 ← s1 ← … : `edges` long. */
const chain = (edges: number, prefix = 's') =>
  new Map(
    Array.from({ length: edges + 1 }, (_, n): [string, string[]] => [
      `${prefix}${n}`,
      n === 0 ? [] : [`${prefix}${n - 1}`],
    ]),
  );

it('takes references that are five edges deep, and no more', () => {
  const known = chain(REFERENCE_DEPTH_MAX);
  expect(() => assertReferences('new', refersTo(`s${REFERENCE_DEPTH_MAX - 1}`), known)).not.toThrow();
  expect(() => assertReferences('new', refersTo(`s${REFERENCE_DEPTH_MAX}`), known)).toThrow(
    ReferencesTooDeepError,
  );
});

it('counts what leads to the segment as well as what it leads to', () => {
  const known = new Map([...chain(2), ...chain(3, 't')]);
  expect(() => assertReferences('t0', refersTo('s1'), known)).not.toThrow();
  expect(() => assertReferences('t0', refersTo('s2'), known)).toThrow(ReferencesTooDeepError);
});

it('refuses cycles of any length, and names the way', () => {
  expect(() => assertReferences('s0', refersTo('s0'), chain(0))).toThrow(CyclicReferenceError);
  expect(() => assertReferences('s0', refersTo('s2'), chain(2))).toThrow('s0 → s2 → s1 → s0');
});

it('refuses what is not there', () => {
  expect(() => assertReferences('s0', refersTo('gone'), chain(0))).toThrow(UnknownReferenceError);
});

it('takes a segment that is referred to twice', () => {
  const known = new Map([
    ['base', []],
    ['left', ['base']],
    ['right', ['base']],
  ]);
  expect(() => assertReferences('top', refersTo('left', 'right'), known)).not.toThrow();
});

it('knows who refers to a segment', () => {
  expect(referrersOf('s1', chain(2))).toEqual(['s2']);
  expect(referrersOf('s2', chain(2))).toEqual([]);
});

describe('with whatever is let in', () => {
  const anyEdits = fc.array(fc.record({ id: fc.nat(9), to: fc.uniqueArray(fc.nat(9), { maxLength: 3 }) }), {
    maxLength: 30,
  });

  it('there is an order, and no path is too long', () => {
    fc.assert(
      fc.property(anyEdits, (edits) => {
        let known: ReadonlyMap<string, readonly string[]> = new Map(
          Array.from({ length: 10 }, (_, n) => [`s${n}`, []]),
        );
        for (const { id, to } of edits) {
          const segments = to.map((n) => `s${n}`);
          try {
            assertReferences(`s${id}`, refersTo(...segments), known);
            known = new Map(known).set(`s${id}`, segments);
          } catch (error) {
            if (!(error instanceof CyclicReferenceError || error instanceof ReferencesTooDeepError))
              throw error;
          }
        }
        const order = topologicalOrder(known);
        expect([...order].sort()).toEqual([...known.keys()].sort());
        const depths = new Map<string, number>();
        for (const id of order) {
          const below = (known.get(id) ?? []).map((referred) => depths.get(referred) ?? Infinity);
          depths.set(id, Math.max(0, ...below.map((depth) => depth + 1)));
        }
        expect(Math.max(...depths.values())).toBeLessThanOrEqual(REFERENCE_DEPTH_MAX);
      }),
    );
  });
});
