import { HASH_BYTES } from './hashing';
import { LogFormatError } from './log-format.error';
import type { NoteSigner, VerifierKey } from './note-key';
import { isSignatureLine, openNote, signNote, unverifiedText } from './signed-note';

/** What a log says of itself at one moment: its name, how many entries it has, and the root over them. */
export type Checkpoint = Readonly<{ origin: string; size: number; root: Buffer }>;

/** The checkpoint as a signed note (c2sp.org/tlog-checkpoint). Throws LogFormatError if it cannot be written. */
export const signCheckpoint = ({ origin, size, root }: Checkpoint, signer: NoteSigner): string => {
  const text = `${origin}\n${size}\n${root.toString('base64')}\n`;
  parseText(text);
  if (origin !== signer.name)
    throw new LogFormatError(`A checkpoint of ${origin} for the key of ${signer.name}.`);
  return signNote(text, signer);
};

/**
 * The checkpoint that one of the keys has signed, and which one. Throws NoteError if none has or the note was changed,
 * LogFormatError if what is signed is no checkpoint or the origin is not the key's name.
 */
export const openCheckpoint = (
  note: string,
  keys: VerifierKey | readonly VerifierKey[],
): Checkpoint & { readonly key: VerifierKey } => {
  const { text, key } = openNote(note, 'verify' in keys ? [keys] : keys);
  const checkpoint = parseText(text);
  if (checkpoint.origin !== key.name) {
    throw new LogFormatError(`A checkpoint of ${checkpoint.origin} signed by the key of ${key.name}.`);
  }
  return { ...checkpoint, key };
};

/** What a checkpoint says, whoever signed it: for where the signature is looked at later. Throws as openCheckpoint does. */
export const unverifiedCheckpoint = (note: string): Checkpoint => parseText(unverifiedText(note));

const parseText = (text: string): Checkpoint => {
  const [origin, sizeText, rootText, ...extensions] = text.split('\n');
  // What the newline at the end leaves.
  const end = extensions.pop();
  const size = Number(sizeText);
  const root = Buffer.from(rootText ?? '', 'base64');
  const wellFormed =
    !!origin &&
    // Notes stand one after another in a witness's file, divided by their signature lines.
    !isSignatureLine(origin) &&
    Number.isSafeInteger(size) &&
    size >= 0 &&
    String(size) === sizeText &&
    root.length === HASH_BYTES &&
    root.toString('base64') === rootText &&
    end === '' &&
    extensions.every((line) => line !== '');
  if (!wellFormed) throw new LogFormatError('Not a checkpoint: expected origin, size and root.');
  return { origin, size, root };
};
