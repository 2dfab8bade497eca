import fc from 'fast-check';
import { parseKeyFile, parseVerifierKey, signerOf, VerifierKey, verifierKeyText } from './note-key';
import { NoteError, openNote, signNote } from './signed-note';

/** The example of Go's package golang.org/x/mod/sumdb/note. */
const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const PETERS_SEED = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1);
const TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const PETERS_LINE =
  '\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';

const peter = parseVerifierKey(PETER);
const other = signerOf('other.test', Buffer.alloc(32, 1));
const otherKey = new VerifierKey(other.name, other.publicKey);
const flawOf = (note: string, keys = [peter]): string => {
  try {
    openNote(note, keys);
    return 'none';
  } catch (error) {
    return error instanceof NoteError ? error.flaw : String(error);
  }
};

describe('a signed note', () => {
  it("is byte for byte what Go's note package signs with the same key", () => {
    const signer = signerOf('PeterNeumann', PETERS_SEED);
    expect(verifierKeyText(signer.name, signer.publicKey)).toBe(PETER);
    expect(signNote(TEXT, signer)).toBe(`${TEXT}\n${PETERS_LINE}`);
  });

  it('is opened by the key that signed it', () => {
    expect(openNote(`${TEXT}\n${PETERS_LINE}`, [otherKey, peter])).toEqual({ text: TEXT, key: peter });
  });

  it('may carry the signatures of others, and have blank lines in its text', () => {
    const text = 'one\n\ntwo\n';
    const note = signNote(text, signerOf('PeterNeumann', PETERS_SEED));
    const others = signNote(text, other).slice(text.length + 1);
    expect(openNote(`${note}${others}`, [peter]).text).toBe(text);
    expect(openNote(`${text}\n${others}${note.slice(text.length + 1)}`, [peter]).text).toBe(text);
  });

  it('is refused without a signature of a given key', () => {
    expect(flawOf(`${TEXT}\n${PETERS_LINE}`, [otherKey])).toBe('not-signed-by-a-given-key');
    // Another key under the same name.
    const impostor = signerOf('PeterNeumann', Buffer.alloc(32, 9));
    expect(flawOf(signNote(TEXT, impostor))).toBe('not-signed-by-a-given-key');
  });

  it('is refused whole if one signature of a given key is wrong', () => {
    const wrong = signNote(`${TEXT}more\n`, other).slice(TEXT.length + 6);
    expect(flawOf(`${TEXT}\n${PETERS_LINE}${wrong}`, [peter, otherKey])).toBe('wrong-signature');
  });

  it('is refused when any byte of it is changed, left out or doubled', () => {
    const note = Buffer.from(`${TEXT}\n${PETERS_LINE}`);
    for (let i = 0; i < note.length; i += 1) {
      const changed = Buffer.from(note);
      changed[i]! ^= 1;
      const cut = Buffer.concat([note.subarray(0, i), note.subarray(i + 1)]);
      const doubled = Buffer.concat([note.subarray(0, i + 1), note.subarray(i)]);
      for (const spoilt of [changed, cut, doubled]) expect(flawOf(spoilt.toString('utf8'))).not.toBe('none');
    }
  });

  it.each([
    ['nothing', ''],
    ['no signatures', `${TEXT}\n`],
    ['no blank line', `${TEXT}${PETERS_LINE}`],
    ['no newline at the end', `${TEXT}\n${PETERS_LINE.trimEnd()}`],
    ['a control character', `a\tb\n\n${PETERS_LINE}`],
    ['a line that is no signature', `${TEXT}\n${PETERS_LINE}x\n`],
    ['base64 written another way', `${TEXT}\n${PETERS_LINE.replace('JnAM=', 'JnAN=')}`],
    ['101 signatures', `${TEXT}\n${PETERS_LINE.repeat(101)}`],
    ['more bytes than are read', `${'a'.repeat(65_536)}\n\n${PETERS_LINE}`],
  ])('is malformed with %s', (_, note) => {
    expect(flawOf(note)).toBe('malformed');
  });
});

describe('a verifier key', () => {
  it('reads back as it was written', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.stringMatching(/^[a-z./-]{1,30}$/),
        (seed, name) => {
          const signer = signerOf(name, seed);
          const key = parseVerifierKey(verifierKeyText(name, signer.publicKey));
          expect([key.name, key.publicKey]).toEqual([name, signer.publicKey]);
          expect(key.verify(Buffer.from('a'), signer.sign(Buffer.from('a')))).toBe(true);
          expect(key.verify(Buffer.from('b'), signer.sign(Buffer.from('a')))).toBe(false);
        },
      ),
      { numRuns: 20 },
    );
  });

  it.each([
    ['nothing', ''],
    ['another id', PETER.replace('c74f20a3', 'c74f20a4')],
    ['an id in capitals', PETER.replace('c74f20a3', 'C74F20A3')],
    ['another name', PETER.replace('Peter', 'Petra')],
    ['another algorithm', PETER.replace('+ARpc', '+AhpC')],
    ['a key cut short', PETER.slice(0, -4)],
    ['a blank in the name', PETER.replace('PeterN', 'Peter N')],
  ])('is refused with %s', (_, text) => {
    expect(() => parseVerifierKey(text)).toThrow();
  });

  it("is refused as in the tests of Go's package: of another algorithm, of another length, under a right id", () => {
    const algorithm = 'PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
    expect(() => parseVerifierKey(algorithm)).toThrow('Not an Ed25519 key');
    const length = 'PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==';
    expect(() => parseVerifierKey(length)).toThrow();
  });

  it('and its signer need a name that fits into a note, and 32 bytes', () => {
    for (const name of ['', 'a b', 'a+b', 'a\nb', 'a\u00a0b']) {
      expect(() => signerOf(name, Buffer.alloc(32))).toThrow('name');
    }
    expect(() => signerOf('a', Buffer.alloc(31))).toThrow('31 bytes');
  });

  it('file has one key a line, some with an end', () => {
    const keys = parseKeyFile(
      `# keys\n\n${PETER} until 2026-01-01T00:00:00Z\r\n  ${otherKey.toString()}  \n`,
    );
    expect(keys.map(String)).toEqual([PETER, otherKey.toString()]);
    expect(keys.map(({ validUntil }) => validUntil)).toEqual(['2026-01-01T00:00:00Z', undefined]);
  });

  it.each(['', '# only a remark', 'x', `${PETER} until`, `${PETER} until tomorrow`, `${PETER} ${PETER}`])(
    'file %j is refused',
    (text) => {
      expect(() => parseKeyFile(text)).toThrow();
    },
  );
});
