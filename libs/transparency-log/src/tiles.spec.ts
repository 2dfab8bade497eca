import fc from 'fast-check';
import { leafHash } from './hashing';
import {
  entryBundle,
  parseEntryBundle,
  parseTile,
  parseTilePath,
  tileBytes,
  tilePath,
  tileWidth,
} from './tiles';

const tile = fc.record({
  level: fc.oneof(fc.constant('entries' as const), fc.integer({ min: 0, max: 63 })),
  index: fc.oneof(fc.nat(2_000_000), fc.nat(Number.MAX_SAFE_INTEGER)),
  width: fc.integer({ min: 1, max: 256 }),
});

describe('paths of tiles', () => {
  it.each([
    [{ level: 0, index: 0, width: 256 }, 'tile/0/000'],
    [{ level: 1, index: 1_234_067, width: 256 }, 'tile/1/x001/x234/067'],
    [{ level: 63, index: 999, width: 1 }, 'tile/63/999.p/1'],
    [{ level: 0, index: 1_000, width: 255 }, 'tile/0/x001/000.p/255'],
    [{ level: 'entries', index: 273, width: 112 }, 'tile/entries/273.p/112'],
  ] as const)('%j is %s', (named, path) => {
    expect(tilePath(named)).toBe(path);
    expect(parseTilePath(path)).toEqual(named);
  });

  it('are read back as they were written', () => {
    fc.assert(fc.property(tile, (given) => expect(parseTilePath(tilePath(given))).toEqual(given)));
  });

  it.each([
    'tile/0/0',
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/data/000',
    'tile/8/0/000',
    'tile/0/001/234',
    'tile/0/x001',
    'tile/0/x000/001',
    'tile/0/x001/x234',
    'tile/0/000.p/0',
    'tile/0/000.p/00',
    'tile/0/000.p/256',
    'tile/0/000.p/257',
    'tile/entries/000.p/999',
    'tile/0/000.p/05',
    'tile/0/000.p',
    'tile/0/000/',
    '/tile/0/000',
    'tile/0/x999/x999/x999/x999/x999/999',
    'tile/0/000\n',
    'tile/entries/../000',
  ])('%j names none', (path) => {
    expect(parseTilePath(path)).toBeNull();
  });

  it('and there is no second path to a tile', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^tile\/(0|1|entries)\/[x0-9/]{1,12}(\.p\/[0-9]{1,3})?$/), (path) => {
        const named = parseTilePath(path);
        if (named) expect(tilePath(named)).toBe(path);
      }),
    );
  });
});

describe('tiles', () => {
  it('are as wide as the example of the specification, a tree of 70,000 entries, says', () => {
    const widths = (level: number, count: number) =>
      Array.from({ length: count }, (_, i) => tileWidth(level, i, 70_000));
    expect(widths(0, 275)).toEqual([...Array<number>(273).fill(256), 112, 0]);
    expect(widths(1, 3)).toEqual([256, 17, 0]);
    expect(widths(2, 2)).toEqual([1, 0]);
    expect([tileWidth(0, 0, 256), tileWidth(1, 0, 256), tileWidth(1, 0, 255)]).toEqual([256, 1, 0]);
  });

  it('read back as they were written, and only in their width', () => {
    const hashes = ['a', 'b', 'c'].map((text) => leafHash(Buffer.from(text)));
    expect(parseTile(tileBytes(hashes), 3)).toEqual(hashes);
    expect(() => parseTile(tileBytes(hashes), 2)).toThrow('instead of 2');
    expect(() => parseTile(tileBytes(hashes).subarray(1), 3)).toThrow('instead of 3');
  });
});

describe('bundles of entries', () => {
  it('have two bytes of length before each entry', () => {
    expect(entryBundle([Buffer.from('ab'), Buffer.alloc(0), Buffer.alloc(258, 1)]).subarray(0, 8)).toEqual(
      Buffer.from([0, 2, 0x61, 0x62, 0, 0, 1, 2]),
    );
  });

  it('read back as they were written', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 20 }), (entries) => {
        const leaves = entries.map((entry) => Buffer.from(entry));
        expect(parseEntryBundle(entryBundle(leaves), leaves.length)).toEqual(leaves);
      }),
    );
  });

  it('take the longest entry there may be, and none longer', () => {
    const longest = Buffer.alloc(65_535, 7);
    expect(parseEntryBundle(entryBundle([longest]), 1)).toEqual([longest]);
    expect(() => entryBundle([Buffer.alloc(65_536)])).toThrow('65536 bytes');
  });

  it('are refused when cut, longer, or of another count', () => {
    const bundle = entryBundle([Buffer.from('ab'), Buffer.from('cde')]);
    for (let length = 0; length < bundle.length; length += 1) {
      expect(() => parseEntryBundle(bundle.subarray(0, length), 2)).toThrow('exactly 2');
    }
    expect(() => parseEntryBundle(Buffer.concat([bundle, Buffer.of(0)]), 2)).toThrow('exactly 2');
    expect(() => parseEntryBundle(bundle, 1)).toThrow('exactly 1');
    expect(() => parseEntryBundle(bundle, 3)).toThrow('exactly 3');
  });
});
