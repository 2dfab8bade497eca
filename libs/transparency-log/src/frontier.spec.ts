import fc from 'fast-check';
import { append, emptyFrontier, type Frontier, rootOf, sizeOf } from './frontier';
import { leafHash } from './hashing';
import { growLog, naiveRoot, RFC_6962_LEAVES, RFC_6962_ROOTS } from './sample-log.suite';

describe('a tree that grows', () => {
  it('has the roots that implementations of RFC 6962 agree on', () => {
    let frontier = emptyFrontier;
    const roots = [rootOf(frontier, 0)];
    for (const [i, leaf] of RFC_6962_LEAVES.entries()) {
      frontier = append(frontier, leafHash(leaf));
      roots.push(rootOf(frontier, i + 1));
    }
    expect(roots.map((root) => root.toString('hex'))).toEqual(RFC_6962_ROOTS);
  });

  it('has the root of the recursive definition at every size', () => {
    const hashes = growLog(700).hashes;
    let frontier = emptyFrontier;
    for (const [i, hash] of hashes.entries()) {
      frontier = append(frontier, hash);
      const size = i + 1;
      if (size < 70 || size % 37 === 0) expect(rootOf(frontier, size)).toEqual(naiveRoot(hashes, 0, size));
    }
  });

  it('goes on from what was stored as JSON', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(300), (before, after) => {
        const { hashes } = growLog(before + after);
        const grow = (frontier: Frontier, more: readonly Buffer[]) =>
          more.reduce((grown: Frontier, hash) => append(grown, hash), frontier);
        const first = grow(emptyFrontier, hashes.slice(0, before));
        const stored = JSON.parse(JSON.stringify(first)) as string[];
        const whole = grow(stored, hashes.slice(before));
        expect(sizeOf(whole)).toBe(before + after);
        expect(rootOf(whole, before + after)).toEqual(naiveRoot(hashes, 0, before + after));
      }),
      { numRuns: 30 },
    );
  });

  it('leaves the frontier before as it was', () => {
    const before = append(emptyFrontier, leafHash(Buffer.from('a')));
    const copy = [...before];
    append(before, leafHash(Buffer.from('b')));
    expect(before).toEqual(copy);
  });

  it('tells of each full tile, one level up', () => {
    const told: string[] = [];
    const { hashes } = growLog(1_025);
    let frontier = emptyFrontier;
    for (const hash of hashes) {
      frontier = append(frontier, hash, (level, index, root) =>
        told.push(`${level}/${index} ${root.toString('hex')}`),
      );
    }
    expect(told).toEqual(
      [0, 1, 2, 3].map((i) => `1/${i} ${naiveRoot(hashes, i * 256, (i + 1) * 256).toString('hex')}`),
    );
  });

  it('refuses a root under another size', () => {
    expect(() => rootOf(append(emptyFrontier, leafHash(Buffer.from('a'))), 2)).toThrow('1 entries');
  });
});
