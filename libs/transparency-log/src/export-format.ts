import { canonicalJson, type CanonicalProperty, canonicalProperties } from './canonical-json';
import { unverifiedCheckpoint } from './checkpoint';
import { leafHash } from './hashing';
import { LEAF_BYTES_MAX, TILE_WIDTH } from './tiles';
import { LogFormatError } from './log-format.error';

/*
 * An export is lines of canonical JSON (RFC 8785), so that no byte of it can be changed unseen:
 *
 *   {"format":"regulars-privacy-log","origin":"…","version":1}     first
 *   {"entry":{…the entry as the API shows it, with index and leafHash}}
 *   {"checkpoint":"…signed note…"}                                 behind the last entry that it covers
 */
export const EXPORT_FORMAT = 'regulars-privacy-log';
export const EXPORT_VERSION = 1;

/** Longer lines are not read: an entry, what the export adds to it, and room for escapes in a checkpoint. */
export const EXPORT_LINE_BYTES_MAX = LEAF_BYTES_MAX + 1_024;

/** An entry as the API shows it. What else is in it is for people; the proof covers all of it. */
export type LogEntry = Readonly<{ index: number; leafHash: string } & Record<string, unknown>>;

/** The bytes that an entry's leaf hash is over: the entry without `index` and `leafHash`. Throws LogFormatError. */
export const leafBytes = (entry: Readonly<Record<string, unknown>>): Buffer =>
  leafOf(canonicalProperties(entry));

const leafOf = (properties: readonly CanonicalProperty[]): Buffer =>
  Buffer.from(objectOf(properties.filter(({ name }) => name !== 'index' && name !== 'leafHash')));
const objectOf = (properties: readonly CanonicalProperty[]): string =>
  `{${properties.map(({ text }) => text).join(',')}}`;

/** The entry of a leaf. Throws LogFormatError unless the bytes are a JSON object in canonical form. */
export const entryOfLeaf = (bytes: Buffer, index: number): LogEntry => {
  const leaf = parseJson(bytes);
  const { index: _index, leafHash: _leafHash, ...content } = leaf?.value ?? {};
  // Also refuses what has an index or a leaf hash in it.
  if (leaf === null || canonicalJson(content) !== leaf.text) {
    throw new LogFormatError(`The bytes of entry ${index} are no entry in canonical form.`);
  }
  return { ...content, index, leafHash: leafHash(bytes).toString('base64') };
};

export const headerLine = (origin: string): string =>
  canonicalJson({ format: EXPORT_FORMAT, version: EXPORT_VERSION, origin });
export const entryLine = (entry: LogEntry): string => canonicalJson({ entry });
export const checkpointLine = (note: string): string => canonicalJson({ checkpoint: note });

/** Reads the entries `index * 256` and on, `width` of them. */
export type BundleSource = (index: number, width: number) => Promise<readonly Buffer[]>;

/**
 * The lines of an export of what a checkpoint covers. The checkpoint is written as it is given: who reads the export verifies
 * it. Throws LogFormatError for what is no checkpoint or no entry.
 */
export const exportLog = async function* (note: string, bundles: BundleSource): AsyncGenerator<string> {
  const { origin, size } = unverifiedCheckpoint(note);
  yield headerLine(origin);
  for (let start = 0; start < size; start += TILE_WIDTH) {
    const leaves = await bundles(start / TILE_WIDTH, Math.min(TILE_WIDTH, size - start));
    for (const [i, leaf] of leaves.entries()) yield entryLine(entryOfLeaf(leaf, start + i));
  }
  yield checkpointLine(note);
};

export type ExportLine =
  | Readonly<{ kind: 'header'; origin: string }>
  | Readonly<{ kind: 'entry'; entry: Readonly<Record<string, unknown>>; leaf: Buffer }>
  | Readonly<{ kind: 'checkpoint'; note: string }>;

/** Reads a line of an export; null unless it is one, in canonical form. */
export const parseExportLine = (bytes: Uint8Array): ExportLine | null => {
  const line = bytes.length > EXPORT_LINE_BYTES_MAX ? null : parseJson(bytes);
  if (line === null) return null;
  const { text, value } = line;
  const { entry, checkpoint, origin } = value;
  try {
    if (isObject(entry)) {
      const properties = canonicalProperties(entry);
      if (text !== `{"entry":${objectOf(properties)}}`) return null;
      return { kind: 'entry', entry, leaf: leafOf(properties) };
    }
    if (typeof checkpoint === 'string' && text === checkpointLine(checkpoint)) {
      return { kind: 'checkpoint', note: checkpoint };
    }
    if (typeof origin === 'string' && text === headerLine(origin)) return { kind: 'header', origin };
  } catch (error) {
    if (!(error instanceof LogFormatError)) throw error;
  }
  return null;
};

/** Strict, so that a byte that is no UTF-8 is not taken for the character that stands for such bytes. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const parseJson = (bytes: Uint8Array): { text: string; value: Readonly<Record<string, unknown>> } | null => {
  try {
    const text = utf8.decode(bytes);
    const value = JSON.parse(text) as unknown;
    return isObject(value) ? { text, value } : null;
  } catch {
    return null;
  }
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
