import { isKeyName, type NoteSigner, VerifierKey } from './note-key';

/** Larger notes are not read. */
export const NOTE_BYTES_MAX = 64 * 1_024;

const SIGNATURES_MAX = 100;
const KEY_ID_BYTES = 4;
const SIGNATURE_PREFIX = '\u2014 ';

export type NoteFlaw = 'malformed' | 'not-signed-by-a-given-key' | 'wrong-signature';

/** A text that is no signed note, or not one of the keys given. */
export class NoteError extends Error {
  constructor(readonly flaw: NoteFlaw) {
    super(`The note is ${FLAWS[flaw]}.`);
  }
}

const FLAWS: Readonly<Record<NoteFlaw, string>> = {
  malformed: 'malformed',
  'not-signed-by-a-given-key': 'not signed by any of the keys given',
  'wrong-signature': 'signed wrongly: it was changed, or the signature is of something else',
};

/** Signs a text that ends in a newline (c2sp.org/signed-note), as Go's sumdb/note writes it. */
export const signNote = (text: string, signer: NoteSigner): string => {
  const { id } = new VerifierKey(signer.name, signer.publicKey);
  const signature = Buffer.concat([id, signer.sign(Buffer.from(text))]);
  return `${text}\n${SIGNATURE_PREFIX}${signer.name} ${signature.toString('base64')}\n`;
};

/**
 * The text of a note and the key that signed it. Signatures of others (witnesses, newer keys) are passed over; one of a given
 * key that is wrong makes the whole note wrong. Throws NoteError.
 */
export const openNote = (note: string, keys: readonly VerifierKey[]): { text: string; key: VerifierKey } => {
  const { text, signatures } = splitNote(note);
  const bytes = Buffer.from(text);
  let signedBy: VerifierKey | null = null;
  for (const { name, id, signature } of signatures) {
    const key = keys.find((known) => known.name === name && known.id.equals(id));
    if (!key) continue;
    if (!key.verify(bytes, signature)) throw new NoteError('wrong-signature');
    signedBy ??= key;
  }
  if (signedBy === null) throw new NoteError('not-signed-by-a-given-key');
  return { text, key: signedBy };
};

/** The text of a note whose signatures nobody has looked at. Throws NoteError if it is malformed. */
export const unverifiedText = (note: string): string => splitNote(note).text;

type Signature = Readonly<{ name: string; id: Buffer; signature: Buffer }>;

const splitNote = (note: string): { text: string; signatures: readonly Signature[] } => {
  // The last blank line divides; the text keeps its own newline.
  const split = note.lastIndexOf('\n\n');

  if (
    split < 0 ||
    Buffer.byteLength(note) > NOTE_BYTES_MAX ||
    /[\u0000-\u0009\u000b-\u001f\p{Surrogate}]/u.test(note)
  ) {
    throw new NoteError('malformed');
  }
  const lines = note.slice(split + 2).split('\n');
  if (lines.pop() !== '' || lines.length === 0 || lines.length > SIGNATURES_MAX) {
    throw new NoteError('malformed');
  }
  return { text: note.slice(0, split + 1), signatures: lines.map(signatureOf) };
};

const signatureOf = (line: string): Signature => {
  const [name, base64, ...rest] = line.slice(SIGNATURE_PREFIX.length).split(' ');
  const bytes = Buffer.from(base64 ?? '', 'base64');
  const wellFormed =
    line.startsWith(SIGNATURE_PREFIX) &&
    rest.length === 0 &&
    isKeyName(name ?? '') &&
    bytes.length > KEY_ID_BYTES &&
    // One text for each signature, so that no byte of a note can be changed unseen.
    bytes.toString('base64') === base64;
  if (!wellFormed) throw new NoteError('malformed');
  return { name: name!, id: bytes.subarray(0, KEY_ID_BYTES), signature: bytes.subarray(KEY_ID_BYTES) };
};

/** Whether the line is one of a note's signatures. */
export const isSignatureLine = (line: string): boolean => line.startsWith(SIGNATURE_PREFIX);
