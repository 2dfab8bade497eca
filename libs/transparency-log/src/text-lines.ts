import { isSignatureLine, NOTE_BYTES_MAX } from './signed-note';

const NEWLINE = 0x0a;

/**
 * Cuts bytes into lines without their newline, holding no more than one line. Of a line longer than `bytesMax` the first
 * `bytesMax + 1` bytes are given, so that it is seen to be too long.
 */
export const readLines = async function* (
  chunks: AsyncIterable<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let length = 0;
  const keep = (part: Buffer): void => {
    const fits = part.subarray(0, Math.max(0, bytesMax + 1 - length));
    if (fits.length === 0) return;
    parts.push(fits);
    length += fits.length;
  };
  for await (const bytes of chunks) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, end));
      yield parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      parts = [];
      length = 0;
      start = end + 1;
    }
    keep(chunk.subarray(start));
  }
  if (length > 0) yield Buffer.concat(parts);
};

/**
 * Cuts a witness's file into notes. Such a file is signed notes one after another: a note ends with the last of its signature
 * lines, and blank lines between notes do not count. A rest without a signature is given as it is, to be refused when opened.
 */
export const readNotes = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let note = '';
  let signed = false;
  for await (const bytes of readLines(chunks, NOTE_BYTES_MAX)) {
    const line = bytes.toString('utf8');
    if (signed && !isSignatureLine(line)) {
      yield note;
      [note, signed] = ['', false];
    }
    if (note === '' && line === '') continue;
    signed = note !== '' && isSignatureLine(line);
    // What is longer than any note may be is kept just long enough to be refused.
    if (note.length <= NOTE_BYTES_MAX) note += `${line}\n`;
  }
  if (note !== '') yield note;
};
