import { HASH_BYTES } from './hashing';
import { LogFormatError } from './log-format.error';

/** Heights of the tree that one tile spans (c2sp.org/tlog-tiles). */
export const TILE_HEIGHT = 8;
/** Hashes of a full tile. */
export const TILE_WIDTH = 2 ** TILE_HEIGHT;
/** An entry's length is written in two bytes. */
export const LEAF_BYTES_MAX = 0xffff;

const LEVEL_MAX = 63;
const BUNDLE_BYTES_MAX = TILE_WIDTH * (2 + LEAF_BYTES_MAX);

/** A tile of hashes at a level, or at level 'entries' the bundle of the entries behind a tile of level 0. */
export type Tile = Readonly<{ level: number | 'entries'; index: number; width: number }>;

/** How many hashes the tile has in a tree of `size` entries; 0 if it is not there yet. */
export const tileWidth = (level: number, index: number, size: number): number =>
  Math.max(0, Math.min(TILE_WIDTH, Math.floor(size / TILE_WIDTH ** level) - index * TILE_WIDTH));

/** `tile/<L>/<N>[.p/<W>]`: N in groups of three digits, all but the last with an x; W only if the tile is not full. */
export const tilePath = ({ level, index, width }: Tile): string => {
  let path = String(index % 1_000).padStart(3, '0');
  for (let rest = Math.floor(index / 1_000); rest > 0; rest = Math.floor(rest / 1_000)) {
    path = `x${String(rest % 1_000).padStart(3, '0')}/${path}`;
  }
  return `tile/${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
};

const PATH = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/(\d{1,3}))?$/;

/** The tile that a path names; null if it names none. Each tile has exactly one path. */
export const parseTilePath = (path: string): Tile | null => {
  const match = PATH.exec(path);
  if (!match) return null;
  const tile: Tile = {
    level: match[1] === 'entries' ? 'entries' : Number(match[1]),
    index: Number(match[2]!.replace(/[x/]/g, '')),
    width: match[3] === undefined ? TILE_WIDTH : Number(match[3]),
  };
  if (tile.width < 1 || tile.width > TILE_WIDTH || !Number.isSafeInteger(tile.index)) return null;
  if (tile.level !== 'entries' && tile.level > LEVEL_MAX) return null;
  // Leading zeros, `.p/256` and the like write the same tile another way.
  return tilePath(tile) === path ? tile : null;
};

/** A tile as it is served: its hashes one after another. */
export const tileBytes = (hashes: readonly Uint8Array[]): Buffer => Buffer.concat(hashes);

/** The hashes of a tile. Throws LogFormatError unless there are exactly `width`. */
export const parseTile = (bytes: Buffer, width: number): readonly Buffer[] => {
  if (bytes.length !== width * HASH_BYTES) {
    throw new LogFormatError(`A tile of ${bytes.length} bytes instead of ${width} hashes.`);
  }
  return Array.from({ length: width }, (_, i) => bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
};

/** Entries as they are served: each behind its length in two bytes, big-endian. Throws LogFormatError if one is too long. */
export const entryBundle = (leaves: readonly Uint8Array[]): Buffer =>
  Buffer.concat(
    leaves.flatMap((leaf) => {
      if (leaf.length > LEAF_BYTES_MAX) {
        throw new LogFormatError(`An entry of ${leaf.length} bytes; ${LEAF_BYTES_MAX} fit.`);
      }
      return [Buffer.of(leaf.length >> 8, leaf.length & 0xff), leaf];
    }),
  );

/** The entries of a bundle. Throws LogFormatError unless there are exactly `width` and nothing behind them. */
export const parseEntryBundle = (bytes: Buffer, width: number): readonly Buffer[] => {
  if (bytes.length > BUNDLE_BYTES_MAX) throw new LogFormatError('A bundle of more bytes than one can have.');
  const leaves: Buffer[] = [];
  let at = 0;
  while (at + 2 <= bytes.length && leaves.length < width) {
    const end = at + 2 + bytes.readUInt16BE(at);
    if (end > bytes.length) break;
    leaves.push(bytes.subarray(at + 2, end));
    at = end;
  }
  if (leaves.length !== width || at !== bytes.length) {
    throw new LogFormatError(`A bundle that does not hold exactly ${width} entries.`);
  }
  return leaves;
};
