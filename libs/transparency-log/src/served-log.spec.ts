import { signCheckpoint } from './checkpoint';
import { LogFormatError } from './log-format.error';
import { VerifierKey } from './note-key';
import { growLog, naiveRoot, ORIGIN, signer, stream, tinyContent } from './sample-log.suite';
import { type ServedLog, verifyServedLog } from './served-log';
import { TILE_WIDTH } from './tiles';

const SIZE = 66_000;
const log = growLog(SIZE, tinyContent);
const noteAt = (size: number): string =>
  signCheckpoint({ origin: ORIGIN, size, root: naiveRoot(log.hashes, 0, size) }, signer);

const served = (size: number): ServedLog => ({
  note: noteAt(size),
  keys: [new VerifierKey(ORIGIN, signer.publicKey)],
  bundles: (index, width) =>
    Promise.resolve(log.leaves.slice(index * TILE_WIDTH, index * TILE_WIDTH + width)),
  tiles: log.tiles,
});
const codes = async (given: ServedLog) => (await verifyServedLog(given)).faults.map(({ code }) => code);

describe('verifying a log as it is served', () => {
  it.each([0, 1, 255, 256, 257, 512, 700])('finds %d entries and their tiles whole', async (size) => {
    expect(await verifyServedLog(served(size))).toMatchObject({
      integrity: 'ok',
      completeness: 'ok',
      entryCount: size,
      provenSize: size,
      faultCount: 0,
    });
  });

  it('reads every tile of every level once, in the width of the checkpoint', async () => {
    const read: string[] = [];
    const tiles: ServedLog['tiles'] = (level, index, width) => {
      read.push(`${level}/${index}/${width}`);
      return log.tiles(level, index, width);
    };
    expect(await codes({ ...served(SIZE), tiles })).toEqual([]);
    const expected = [
      ...Array.from({ length: 257 }, (_, i) => `0/${i}/256`),
      '0/257/208',
      '1/0/256',
      '1/1/1',
      '2/0/1',
    ];
    expect(read.sort()).toEqual(expected.sort());
  });

  it.each([
    [0, 0],
    [0, 2],
    [1, 0],
  ])('shows a wrong hash in tile %d/%d, in any place', async (wrongLevel, wrongIndex) => {
    const tiles =
      (place: number): ServedLog['tiles'] =>
      async (level, index, width) => {
        const tile = await log.tiles(level, index, width);
        return level === wrongLevel && index === wrongIndex
          ? tile.with(place % width, log.hashes[299]!)
          : tile;
      };
    for (const place of [0, 1, 100, 255])
      expect(await codes({ ...served(700), tiles: tiles(place) })).toEqual(['tile']);
  });

  it('shows tiles that are too short, too long, or no tiles', async () => {
    const tile = (change: (tile: readonly Buffer[]) => readonly Buffer[]): ServedLog['tiles'] => {
      return async (...at) => change(await log.tiles(...at));
    };
    expect(await codes({ ...served(10), tiles: tile((hashes) => hashes.slice(1)) })).toEqual(['tile']);
    expect(await codes({ ...served(10), tiles: tile((hashes) => [...hashes, hashes[0]!]) })).toEqual([
      'tile',
    ]);
    const refusing = () => Promise.reject(new LogFormatError('no tile'));
    expect(await codes({ ...served(10), tiles: refusing })).toEqual(['tile']);
  });

  it('shows entries that are not those that were signed', async () => {
    const bundles: ServedLog['bundles'] = async (index, width) =>
      (await served(700).bundles(index, width)).with(5, log.leaves[6]!);
    expect(await codes({ ...served(200), bundles })).toEqual(['tile', 'repeated', 'root']);
  });

  it.each(['{"a":1, "b":2}', '{"index":1}', '{"leafHash":""}', '[]', 'x', ''])(
    'shows bytes that are no entry: %j',
    async (text) => {
      const bundles: ServedLog['bundles'] = async (index, width) =>
        (await served(700).bundles(index, width)).with(5, Buffer.from(text));
      expect(await codes({ ...served(200), bundles })).toEqual(['tile', 'line', 'no-checkpoint']);
    },
  );

  it('holds it against what a witness kept', async () => {
    expect(await codes({ ...served(300), witnessed: stream([noteAt(100), noteAt(300)]) })).toEqual([]);
    expect(await codes({ ...served(300), witnessed: stream([noteAt(301)]) })).toEqual(['missing']);
  });

  it('lets through what the sources throw', async () => {
    const bundles = () => Promise.reject(new Error('no answer'));
    await expect(verifyServedLog({ ...served(10), bundles })).rejects.toThrow('no answer');
    await expect(verifyServedLog({ ...served(10), note: 'x' })).rejects.toThrow('malformed');
  });
});
