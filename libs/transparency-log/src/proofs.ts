import { emptyRoot, nodeHash } from './hashing';
import { LogFormatError } from './log-format.error';
import { TILE_HEIGHT, TILE_WIDTH, tileWidth } from './tiles';

/** Reads a tile of hashes. It must give exactly `width` hashes of 32 bytes. */
export type TileSource = (level: number, index: number, width: number) => Promise<readonly Buffer[]>;

/** Root of the first `size` entries. */
export const rootAt = (source: TileSource, size: number): Promise<Buffer> =>
  size === 0 ? Promise.resolve(emptyRoot()) : new TiledTree(source, size).range(0, size);

/**
 * Proof that entry `index` is in the tree of `size` entries (RFC 9162, section 2.1.3.1), from the leaf's sibling upwards.
 * Reads a few tiles per level. Throws RangeError unless index < size.
 */
export const inclusionProof = async (source: TileSource, index: number, size: number): Promise<Buffer[]> => {
  if (!(index >= 0 && index < size)) throw new RangeError(`Entry ${index} is not among ${size}.`);
  const tree = new TiledTree(source, size);
  const path = async (start: number, end: number): Promise<Buffer[]> => {
    if (end - start === 1) return [];
    const middle = start + splitOf(end - start);
    return index < middle
      ? [...(await path(start, middle)), await tree.range(middle, end)]
      : [...(await path(middle, end)), await tree.range(start, middle)];
  };
  return path(0, size);
};

/**
 * Proof that the tree of `from` entries is the beginning of that of `to` (RFC 9162, section 2.1.4.1). Empty from 0 and from
 * `to`, where there is nothing to show. Throws RangeError unless from <= to.
 */
export const consistencyProof = async (source: TileSource, from: number, to: number): Promise<Buffer[]> => {
  if (!(from >= 0 && from <= to)) throw new RangeError(`A tree of ${to} has no beginning of ${from}.`);
  if (from === 0 || from === to) return [];
  const tree = new TiledTree(source, to);
  const subproof = async (start: number, end: number, known: boolean): Promise<Buffer[]> => {
    if (from === end) return known ? [] : [await tree.range(start, end)];
    const middle = start + splitOf(end - start);
    return from <= middle
      ? [...(await subproof(start, middle, known)), await tree.range(middle, end)]
      : [...(await subproof(middle, end, false)), await tree.range(start, middle)];
  };
  return subproof(0, to, true);
};

/** Largest power of two below `count`, which is at least 2. */
const splitOf = (count: number): number => {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
};

/** The hashes of a tree of known size, read through its tiles; each tile once. */
class TiledTree {
  private readonly tiles = new Map<string, readonly Buffer[]>();

  constructor(
    private readonly source: TileSource,
    private readonly size: number,
  ) {}

  /** Root over entries `start` to `end`, a range as RFC 9162 splits trees: its left parts are complete subtrees. */
  async range(start: number, end: number): Promise<Buffer> {
    const count = end - start;
    const height = Math.round(Math.log2(count));
    if (2 ** height === count && start % count === 0) return this.subtree(height, start / count);
    const middle = start + splitOf(count);
    return nodeHash(await this.range(start, middle), await this.range(middle, end));
  }

  /** The `index`-th complete subtree of a height, from the tile in which its lower hashes lie. */
  private async subtree(height: number, index: number): Promise<Buffer> {
    const level = Math.floor(height / TILE_HEIGHT);
    const count = 2 ** (height % TILE_HEIGHT);
    const offset = (index * count) % TILE_WIDTH;
    const tile = await this.tile(level, Math.floor((index * count) / TILE_WIDTH));
    return subtreeRoot(tile.slice(offset, offset + count));
  }

  private async tile(level: number, index: number): Promise<readonly Buffer[]> {
    const key = `${level}/${index}`;
    const known = this.tiles.get(key);
    if (known) return known;
    const width = tileWidth(level, index, this.size);
    const hashes = await this.source(level, index, width);
    if (hashes.length !== width) {
      throw new LogFormatError(`Tile ${key} has ${hashes.length} hashes instead of ${width}.`);
    }
    this.tiles.set(key, hashes);
    return hashes;
  }
}

/** Root over a power of two of neighbouring hashes. */
export const subtreeRoot = (hashes: readonly Buffer[]): Buffer => {
  let row = hashes;
  while (row.length > 1) {
    row = Array.from({ length: row.length / 2 }, (_, i) => nodeHash(row[2 * i]!, row[2 * i + 1]!));
  }
  return row[0]!;
};
