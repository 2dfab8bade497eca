import { entryOfLeaf, leafBytes } from './export-format';
import { emptyRoot, leafHash, nodeHash } from './hashing';
import { signerOf } from './note-key';
import type { TileSource } from './proofs';
import { TILE_WIDTH } from './tiles';

/** The tree hash word for word as RFC 6962, section 2.1 defines it, slow and plain. */
export const naiveRoot = (hashes: readonly Buffer[], start: number, end: number): Buffer => {
  if (end === start) return emptyRoot();
  if (end - start === 1) return hashes[start]!;
  let split = 1;
  while (split * 2 < end - start) split *= 2;
  return nodeHash(naiveRoot(hashes, start, start + split), naiveRoot(hashes, start + split, end));
};

/** The eight entries and the roots over 0 to 8 of them with which certificate-transparency implementations are tested. */
export const RFC_6962_LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => Buffer.from(hex, 'hex'));

export const RFC_6962_ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

export const ORIGIN = 'regulars.test/privacy-log';
export const signer = signerOf(ORIGIN, Buffer.alloc(32, 7));

export type SampleLog = Readonly<{ leaves: readonly Buffer[]; hashes: readonly Buffer[]; tiles: TileSource }>;

/** A log of made-up entries with every field that entries have, and its tiles; of others where their content is given. */
export const growLog = (
  size: number,
  contentOf: (index: number) => Readonly<Record<string, unknown>> = sampleContent,
): SampleLog => {
  const leaves = Array.from({ length: size }, (_, i) => leafBytes(contentOf(i)));
  const hashes = leaves.map(leafHash);
  return { leaves, hashes, tiles: tilesOf(hashes) };
};

/** As little as an entry can be, for large logs. */
export const tinyContent = (index: number) => ({ entryId: String(index) });

export const entriesOf = ({ leaves }: SampleLog) => leaves.map(entryOfLeaf);

/** Tiles by their definition: the hash of the n-th tile's i-th part (c2sp.org/tlog-tiles). */
const tilesOf =
  (hashes: readonly Buffer[]): TileSource =>
  (level, index, width) => {
    const span = TILE_WIDTH ** level;
    const tile = Array.from({ length: width }, (_, i) => {
      const start = (index * TILE_WIDTH + i) * span;
      if (start + span > hashes.length) throw new Error(`No tile ${level}/${index} of width ${width}.`);
      return naiveRoot(hashes, start, start + span);
    });
    return Promise.resolve(tile);
  };

const sampleContent = (i: number) => ({
  entryId: `0197b2c4-0000-7000-8000-${String(i).padStart(12, '0')}`,
  at: new Date(1_764_000_000_000 + i * 1_000).toISOString(),
  actor: { id: `key-${i % 5}`, role: i % 2 === 0 ? 'operator' : 'auditor', method: 'apiKey' },
  action: i % 3 === 0 ? 'contact.view' : 'contact.edit',
  ...(i % 3 === 1 && {
    command: 'EditProfile',
    eventId: `0197b2c5-0000-7000-8000-${String(i).padStart(12, '0')}`,
  }),
  purpose: 'support',
  outcome: 'allowed',
  onBehalfOf: 'agent-7',
  subjects: [`7f3c2f6e-52f4-4d0b-9f3e-${String(i % 9).padStart(12, '0')}`],
  subjectCount: 1,
  fields: ['email', 'firstName'],
  query: 'f00d',
  rows: i % 50,
  correlationId: `c-${i}`,
  network: '203.0.113.0/24',
});

/** Gives lines or notes as a stream does. */
export const stream = async function* <T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
};

export const linesOf = (lines: readonly string[]): AsyncGenerator<Buffer> =>
  stream(lines.map((line) => Buffer.from(line)));
