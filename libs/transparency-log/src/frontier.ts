import { LogFormatError } from './log-format.error';
import { TILE_HEIGHT } from './tiles';
import { emptyRoot, nodeHash } from './hashing';

/**
 * All that a growing tree must remember: for each height the hash (base64) of the complete subtree that has no sibling yet,
 * or '' where there is none. JSON-safe; at most 53 hashes, whatever the size of the log.
 */
export type Frontier = readonly string[];

export const emptyFrontier: Frontier = [];

/** How many entries the tree of this frontier has. */
export const sizeOf = (frontier: Frontier): number =>
  frontier.reduce((size, hash, height) => (hash === '' ? size : size + 2 ** height), 0);

/** Hears of each subtree that fills a tile: the `index`-th hash of tile level `level` (from 1 on). */
export type OnTileHash = (level: number, index: number, hash: Buffer) => void;

/** The frontier with one more entry. The given one is left as it is. */
export const append = (frontier: Frontier, leaf: Buffer, onTileHash?: OnTileHash): Frontier => {
  const next = [...frontier];
  let hash = leaf;
  let height = 0;
  for (let sibling = next[0]; sibling; sibling = next[height]) {
    hash = nodeHash(Buffer.from(sibling, 'base64'), hash);
    next[height] = '';
    height += 1;
    if (onTileHash && height % TILE_HEIGHT === 0) {
      onTileHash(height / TILE_HEIGHT, (sizeOf(frontier) + 1) / 2 ** height - 1, hash);
    }
  }
  next[height] = hash.toString('base64');
  return next;
};

/**
 * Root of the tree (RFC 9162, section 2.1.1). Throws LogFormatError if the frontier is not that of `size` entries: the two are
 * stored side by side, and a root under a wrong size must never be signed.
 */
export const rootOf = (frontier: Frontier, size: number): Buffer => {
  if (sizeOf(frontier) !== size) {
    throw new LogFormatError(`A frontier of ${sizeOf(frontier)} entries was taken for one of ${size}.`);
  }
  let root: Buffer | null = null;
  for (const text of frontier) {
    if (text === '') continue;
    const hash = Buffer.from(text, 'base64');
    root = root === null ? hash : nodeHash(hash, root);
  }
  return root ?? emptyRoot();
};
