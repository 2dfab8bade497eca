import { openCheckpoint, signCheckpoint, unverifiedCheckpoint } from './checkpoint';
import { emptyRoot, leafHash } from './hashing';
import { VerifierKey } from './note-key';
import { ORIGIN, signer } from './sample-log.suite';
import { signNote } from './signed-note';
import { readLines, readNotes } from './text-lines';

const key = new VerifierKey(ORIGIN, signer.publicKey);
const root = leafHash(Buffer.from('a'));
const rootText = root.toString('base64');
const note = signCheckpoint({ origin: ORIGIN, size: 20_852_163, root }, signer);

describe('a checkpoint', () => {
  it('is the signed note that the specification shows', () => {
    expect(note.split('\n').slice(0, 4)).toEqual([ORIGIN, '20852163', rootText, '']);
    expect(note.split('\n')[4]).toMatch(/^\u2014 regulars\.test\/privacy-log [A-Za-z0-9+/]{90,91}={0,2}$/);
  });

  it('opens to what was signed, with the key that signed', () => {
    expect(openCheckpoint(note, key)).toEqual({ origin: ORIGIN, size: 20_852_163, root, key });
    expect(openCheckpoint(note, [key]).key).toBe(key);
    expect(unverifiedCheckpoint(note)).toEqual({ origin: ORIGIN, size: 20_852_163, root });
  });

  it('may be of an empty log, and may have further lines', () => {
    expect(
      openCheckpoint(signCheckpoint({ origin: ORIGIN, size: 0, root: emptyRoot() }, signer), key).size,
    ).toBe(0);
    expect(openCheckpoint(signNote(`${ORIGIN}\n1\n${rootText}\nmore\n`, signer), key).size).toBe(1);
  });

  it.each([
    ['another origin than the key', `other.test\n1\n${rootText}\n`],
    ['no origin', `\n1\n${rootText}\n`],
    ['no root', `${ORIGIN}\n1\n`],
    ['leading zeros', `${ORIGIN}\n01\n${rootText}\n`],
    ['a negative size', `${ORIGIN}\n-1\n${rootText}\n`],
    ['a size that is no safe integer', `${ORIGIN}\n9007199254740992\n${rootText}\n`],
    ['a size in another form', `${ORIGIN}\n1e3\n${rootText}\n`],
    ['a root that is too short', `${ORIGIN}\n1\n${rootText.slice(4)}\n`],
    ['a blank line among the further ones', `${ORIGIN}\n1\n${rootText}\n\nmore\n`],
  ])('is refused with %s, even signed', (_, text) => {
    expect(() => openCheckpoint(signNote(text, signer), key)).toThrow();
  });

  it('is not signed if it could not be opened', () => {
    expect(() => signCheckpoint({ origin: 'other.test', size: 1, root }, signer)).toThrow('for the key of');
    expect(() => signCheckpoint({ origin: ORIGIN, size: -1, root }, signer)).toThrow();
    expect(() => signCheckpoint({ origin: ORIGIN, size: 1, root: root.subarray(1) }, signer)).toThrow();
  });
});

const inChunks = async function* (text: string, length: number) {
  const bytes = Buffer.from(text);
  for (let i = 0; i < bytes.length; i += length) yield bytes.subarray(i, i + length);
};
const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};

describe('lines', () => {
  it.each([1, 2, 3, 7, 1_000])('are cut the same in chunks of %d bytes', async (length) => {
    const lines = await all(readLines(inChunks('ab\n\n\u00e4\u20ac\nlast', length), 100));
    expect(lines.map(String)).toEqual(['ab', '', '\u00e4\u20ac', 'last']);
  });

  it('end at the last newline', async () => {
    expect(await all(readLines(inChunks('', 1), 100))).toEqual([]);
    expect(await all(readLines(inChunks('a\n', 1), 100))).toEqual([Buffer.from('a')]);
  });

  it('that are too long are seen to be, and not kept', async () => {
    const lines = await all(readLines(inChunks(`${'x'.repeat(50)}\nshort\n${'y'.repeat(50)}`, 8), 10));
    expect(lines.map(String)).toEqual(['x'.repeat(11), 'short', 'y'.repeat(11)]);
  });
});

describe('notes in a file of a witness', () => {
  const second = signCheckpoint({ origin: ORIGIN, size: 20_852_164, root }, signer);
  const cosigned = `${second}\u2014 witness.test AAAAAAAA\n`;

  it.each([
    ['one after another', `${note}${cosigned}${note}`],
    ['divided by blank lines', `\n${note}\n\n${cosigned}\n${note}\n`],
    ['with the last newline lost', `${note}${cosigned}${note}`.trimEnd()],
  ])('%s are cut apart', async (_, text) => {
    expect(await all(readNotes(inChunks(text, 13)))).toEqual([note, cosigned, note]);
  });

  it('cut off in the middle are given to be refused', async () => {
    const notes = await all(readNotes(inChunks(`${note}${note.slice(0, 60)}`, 13)));
    expect(notes).toHaveLength(2);
    expect(() => openCheckpoint(notes[1]!, key)).toThrow('malformed');
  });

  it('that never end are cut short', async () => {
    const [only, ...others] = await all(readNotes(inChunks('line\n'.repeat(100_000), 4_096)));
    expect(others).toEqual([]);
    expect(only!.length).toBeLessThan(70_000);
  });
});
