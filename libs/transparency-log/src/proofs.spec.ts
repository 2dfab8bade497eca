import fc from 'fast-check';
import { verifyConsistency, verifyInclusion } from './proof-verification';
import { consistencyProof, inclusionProof, rootAt } from './proofs';
import { leafHash } from './hashing';
import { growLog, naiveRoot, RFC_6962_LEAVES, RFC_6962_ROOTS } from './sample-log.suite';

const { hashes, tiles } = growLog(1_100);
const roots = new Map<number, Buffer>();
const root = (size: number): Buffer => {
  const known = roots.get(size) ?? naiveRoot(hashes, 0, size);
  roots.set(size, known);
  return known;
};

/** RFC 6962, section 2.1.1, word for word. */
const naivePath = (index: number, start: number, end: number): Buffer[] => {
  if (end - start === 1) return [];
  let split = 1;
  while (split * 2 < end - start) split *= 2;
  const middle = start + split;
  return index < middle
    ? [...naivePath(index, start, middle), naiveRoot(hashes, middle, end)]
    : [...naivePath(index, middle, end), naiveRoot(hashes, start, middle)];
};

/** RFC 6962, section 2.1.2, word for word. */
const naiveSubproof = (size: number, start: number, end: number, complete: boolean): Buffer[] => {
  if (size === end) return complete ? [] : [naiveRoot(hashes, start, end)];
  let split = 1;
  while (split * 2 < end - start) split *= 2;
  const middle = start + split;
  return size <= middle
    ? [...naiveSubproof(size, start, middle, complete), naiveRoot(hashes, middle, end)]
    : [...naiveSubproof(size, middle, end, false), naiveRoot(hashes, start, middle)];
};

const size = fc.oneof(
  fc.integer({ min: 1, max: 20 }),
  fc.integer({ min: 1, max: 1_100 }),
  fc.constantFrom(256, 512, 1_024),
);
const indexAndSize = fc.tuple(size, fc.nat()).map(([count, n]) => [n % count, count] as const);
const twoSizes = fc.tuple(size, size).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

/** Everything that can be done to a list of hashes at one place. */
const spoilt = (proof: readonly Buffer[]): Buffer[][] => [
  [...proof, leafHash(Buffer.from('one more'))],
  [leafHash(Buffer.from('one more')), ...proof],
  ...proof.flatMap((hash, i) => {
    const changed = Buffer.from(hash);
    changed[i % 32]! ^= 1;
    return [proof.with(i, changed), proof.toSpliced(i, 1), proof.toSpliced(i, 0, hash)];
  }),
  ...proof.slice(1).map((hash, i) => proof.with(i, hash).with(i + 1, proof[i]!)),
];

describe('the root at a size', () => {
  it('is that of the recursive definition', async () => {
    for (const count of [0, 1, 2, 3, 255, 256, 257, 511, 512, 513, 1_024, 1_100]) {
      expect(await rootAt(tiles, count)).toEqual(root(count));
    }
  });
});

describe('proofs of inclusion', () => {
  it('are those of the recursive definition, and show what they claim', () =>
    fc.assert(
      fc.asyncProperty(indexAndSize, async ([index, count]) => {
        const proof = await inclusionProof(tiles, index, count);
        expect(proof).toEqual(naivePath(index, 0, count));
        expect(
          verifyInclusion({ index, size: count, leafHash: hashes[index]!, root: root(count), proof }),
        ).toBe(true);
      }),
      { numRuns: 150 },
    ));

  it('show nothing else: another entry, index, size, root or list of hashes', () =>
    fc.assert(
      fc.asyncProperty(indexAndSize, fc.nat(1_099), async ([index, count], other) => {
        const claim = { index, size: count, leafHash: hashes[index]!, root: root(count) };
        const proof = await inclusionProof(tiles, index, count);
        if (other !== index) {
          expect(verifyInclusion({ ...claim, proof, index: other })).toBe(false);
          expect(verifyInclusion({ ...claim, proof, leafHash: hashes[other]! })).toBe(false);
        }
        if (other + 1 !== count)
          expect(verifyInclusion({ ...claim, proof, root: root(other + 1) })).toBe(false);
        expect(verifyInclusion({ ...claim, proof, index: count })).toBe(false);
        expect(verifyInclusion({ ...claim, proof, index: -1 })).toBe(false);
        for (const wrong of spoilt(proof)) expect(verifyInclusion({ ...claim, proof: wrong })).toBe(false);
      }),
      { numRuns: 60 },
    ));

  it('are refused for entries that are not there', async () => {
    await expect(inclusionProof(tiles, 5, 5)).rejects.toThrow(RangeError);
    await expect(inclusionProof(tiles, -1, 5)).rejects.toThrow(RangeError);
  });

  it('read few tiles', async () => {
    let reads = 0;
    await inclusionProof(
      (...tile) => {
        reads += 1;
        return tiles(...tile);
      },
      300,
      1_100,
    );
    expect(reads).toBeLessThanOrEqual(4);
  });

  it('are not made from a tile of another width', async () => {
    await expect(inclusionProof(async (...tile) => (await tiles(...tile)).slice(1), 3, 9)).rejects.toThrow(
      '8 hashes',
    );
  });

  it('verify beyond 32 bits', () => {
    // The last leaf of a tree of 2^40 + 1 entries hangs directly below the root.
    const leaf = leafHash(Buffer.from('last'));
    const left = leafHash(Buffer.from('the left subtree'));
    const whole = { index: 2 ** 40, size: 2 ** 40 + 1, leafHash: leaf, proof: [left] };
    const top = naiveRoot([left, leaf], 0, 2);
    expect(verifyInclusion({ ...whole, root: top })).toBe(true);
    const second = leafHash(Buffer.from('second last'));
    expect(
      verifyInclusion({
        index: 2 ** 40 + 1,
        size: 2 ** 40 + 2,
        leafHash: leaf,
        root: naiveRoot([left, naiveRoot([second, leaf], 0, 2)], 0, 2),
        proof: [second, left],
      }),
    ).toBe(true);
    expect(verifyInclusion({ ...whole, index: 2 ** 40 - 1, root: top })).toBe(false);
  });
});

describe('proofs of consistency', () => {
  it('are those of the recursive definition, and show what they claim', () =>
    fc.assert(
      fc.asyncProperty(twoSizes, async ([from, to]) => {
        const proof = await consistencyProof(tiles, from, to);
        expect(proof).toEqual(naiveSubproof(from, 0, to, true));
        expect(verifyConsistency({ from, to, fromRoot: root(from), toRoot: root(to), proof })).toBe(true);
      }),
      { numRuns: 150 },
    ));

  it('show nothing else: another size, root or list of hashes', () =>
    fc.assert(
      fc.asyncProperty(twoSizes, size, async ([from, to], other) => {
        const claim = { from, to, fromRoot: root(from), toRoot: root(to) };
        const proof = await consistencyProof(tiles, from, to);
        if (other !== from) expect(verifyConsistency({ ...claim, proof, fromRoot: root(other) })).toBe(false);
        if (other !== to) expect(verifyConsistency({ ...claim, proof, toRoot: root(other) })).toBe(false);
        for (const wrong of spoilt(proof)) expect(verifyConsistency({ ...claim, proof: wrong })).toBe(false);
        expect(verifyConsistency({ ...claim, proof, from: to + 1 })).toBe(false);
        if (from < to) expect(verifyConsistency({ ...claim, proof, to: to * 4 })).toBe(false);
      }),
      { numRuns: 60 },
    ));

  it('need no hashes from nothing, and not to itself', async () => {
    expect(await consistencyProof(tiles, 0, 7)).toEqual([]);
    expect(await consistencyProof(tiles, 7, 7)).toEqual([]);
    const fromNothing = { from: 0, to: 7, fromRoot: root(0), toRoot: root(7) };
    expect(verifyConsistency({ ...fromNothing, proof: [] })).toBe(true);
    expect(verifyConsistency({ ...fromNothing, fromRoot: root(1), proof: [] })).toBe(false);
    expect(verifyConsistency({ ...fromNothing, proof: [root(1)] })).toBe(false);
  });

  it('are refused backwards', async () => {
    await expect(consistencyProof(tiles, 8, 7)).rejects.toThrow(RangeError);
  });
});

describe('the proofs with which certificate-transparency implementations are tested', () => {
  const leafHashes = RFC_6962_LEAVES.map(leafHash);
  const hex = (...texts: string[]) => texts.map((text) => Buffer.from(text, 'hex'));
  const rootOf = (count: number) => Buffer.from(RFC_6962_ROOTS[count]!, 'hex');

  it.each([
    [0, 1, hex()],
    [
      0,
      8,
      hex(
        '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
      ),
    ],
    [
      5,
      8,
      hex(
        'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
        'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
        'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      ),
    ],
    [2, 3, hex('fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125')],
  ])('entry %d of %d', (index, count, proof) => {
    expect(
      verifyInclusion({ index, size: count, leafHash: leafHashes[index]!, root: rootOf(count), proof }),
    ).toBe(true);
  });

  it.each([
    [1, 1, hex()],
    [
      1,
      8,
      hex(
        '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
      ),
    ],
    [
      6,
      8,
      hex(
        '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
        'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
        'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      ),
    ],
  ])('from %d to %d', (from, to, proof) => {
    expect(verifyConsistency({ from, to, fromRoot: rootOf(from), toRoot: rootOf(to), proof })).toBe(true);
  });
});
