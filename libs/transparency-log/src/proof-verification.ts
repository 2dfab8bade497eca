import { emptyRoot, nodeHash } from './hashing';

export type Inclusion = Readonly<{
  index: number;
  size: number;
  leafHash: Buffer;
  root: Buffer;
  proof: readonly Buffer[];
}>;

/** Whether the proof shows that the entry is in the tree (RFC 9162, section 2.1.3.2). Never throws. */
export const verifyInclusion = ({ index, size, leafHash, root, proof }: Inclusion): boolean => {
  if (!isSize(size) || !isSize(index) || index >= size) return false;
  let node = index;
  let last = size - 1;
  let hash = leafHash;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      hash = nodeHash(sibling, hash);
      // A node without a sibling goes up unchanged.
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && hash.equals(root);
};

export type Consistency = Readonly<{
  from: number;
  to: number;
  fromRoot: Buffer;
  toRoot: Buffer;
  proof: readonly Buffer[];
}>;

/** Whether the proof shows that one tree is the beginning of the other (RFC 9162, section 2.1.4.2). Never throws. */
export const verifyConsistency = ({ from, to, fromRoot, toRoot, proof }: Consistency): boolean => {
  if (!isSize(from) || !isSize(to) || from > to) return false;
  if (from === to) return proof.length === 0 && fromRoot.equals(toRoot);
  // Every tree begins with the empty one.
  if (from === 0) return proof.length === 0 && fromRoot.equals(emptyRoot());
  const path = isPowerOfTwo(from) ? [fromRoot, ...proof] : proof;
  const [first, ...rest] = path;
  if (first === undefined || proof.length === 0) return false;
  let node = from - 1;
  let last = to - 1;
  while (isOdd(node)) [node, last] = [half(node), half(last)];
  let older = first;
  let newer = first;
  for (const hash of rest) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      older = nodeHash(hash, older);
      newer = nodeHash(hash, newer);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      newer = nodeHash(newer, hash);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && older.equals(fromRoot) && newer.equals(toRoot);
};

// Sizes go beyond the 32 bits of JavaScript's bit operators.
const isSize = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const isOdd = (value: number): boolean => value % 2 === 1;
const half = (value: number): number => Math.floor(value / 2);
const isPowerOfTwo = (value: number): boolean => {
  let power = 1;
  while (power < value) power *= 2;
  return power === value;
};
