import { createHash } from 'node:crypto';
import { KeyWriter } from '../bson/key-encoding';
import { keysOf, Path, pathOf } from '../bson/path';
import { Value } from '../bson/raw-value';
import { Filter, parseFilter } from '../query/filter';
import { compileFilter, Matcher } from '../query/matcher';

/** Bytes of a key before it is cut; LMDB's own limit is 1,978. */
export const KEY_LENGTH_MAX = 1_900;
const DIGEST_LENGTH = 32;
/** A key that was cut keeps this many bytes, then a digest of the whole. */
export const KEY_CUT = KEY_LENGTH_MAX - DIGEST_LENGTH;

const ID_LENGTH = 4;
const RECORD_LENGTH = 6;

export type IndexField = Readonly<{ path: Path; descending: boolean }>;

/** An index as the catalog keeps it; `spec` is what the client sent, as BSON in base64. */
export type StoredIndex = {
  id: number;
  name: string;
  key: [path: string, direction: 1 | -1][];
  unique: boolean;
  sparse: boolean;
  /** The partial filter, as BSON in base64. */
  partial?: string;
  expireAfterSeconds?: number;
  /** Paths on which some document has an array; never taken back. */
  multikey: boolean[];
  /** Some key is cut or inexact, so that the order of entries is not quite the order of values. */
  inexact: boolean;
  /** Not complete yet: kept up by writes, not used by reads. */
  building: boolean;
};

const WRITER = new KeyWriter();

const cut = (components: Buffer): Buffer =>
  Buffer.concat([components.subarray(0, KEY_CUT), createHash('sha256').update(components).digest()]);

/** An index at work: makes keys of documents. */
export class Index {
  readonly fields: readonly IndexField[];
  readonly paths: readonly Path[];
  /** First steps of the paths: as long as none of these fields changes, no key does. */
  readonly roots: readonly Buffer[];
  readonly prefix: Buffer;
  readonly partial: Filter | undefined;
  private readonly accepts: Matcher | undefined;

  constructor(readonly stored: StoredIndex) {
    this.fields = stored.key.map(([path, direction]) => ({
      path: pathOf(path),
      descending: direction === -1,
    }));
    this.paths = this.fields.map((field) => field.path);
    this.prefix = Buffer.alloc(ID_LENGTH);
    this.prefix.writeUInt32BE(stored.id);
    if (stored.partial !== undefined) {
      const document = Buffer.from(stored.partial, 'base64');
      this.partial = parseFilter({ type: 3, buf: document, at: 0, end: document.length });
      this.accepts = compileFilter(this.partial);
    }
    this.roots = [...this.paths, ...(this.partial ? pathsIn(this.partial) : [])].map(
      (path) => path.names[0]!,
    );
  }

  /**
   * The keys of a document, without doubles. `flagged` is called when the document makes the index multikey on a
   * path or inexact; that has to be stored before the keys are.
   */
  entriesOf(document: Value, recordId: number, flagged: (flag: 'inexact' | number) => void): Buffer[] {
    if (this.accepts && !this.accepts(document.buf, document.at)) return [];
    const { tuples, multikey } = keysOf(document, this.paths);
    if (multikey) multikey.forEach((yes, i) => void (yes && !this.stored.multikey[i] && flagged(i)));
    const keys: Buffer[] = [];
    for (const tuple of tuples) {
      if (this.stored.sparse && tuple.every((value) => value === undefined)) continue;
      keys.push(this.keyOf(tuple, recordId, flagged));
    }
    return keys.length > 1 ? distinct(keys) : keys;
  }

  private keyOf(
    tuple: readonly (Value | undefined)[],
    recordId: number,
    flagged: (flag: 'inexact' | number) => void,
  ): Buffer {
    WRITER.reset();
    WRITER.uint32(this.stored.id);
    for (let i = 0; i < tuple.length; i += 1) WRITER.component(tuple[i], this.fields[i]!.descending);
    if (WRITER.length > KEY_LENGTH_MAX) {
      if (!this.stored.inexact) flagged('inexact');
      const components = cut(WRITER.take(ID_LENGTH));
      return this.stored.unique
        ? Buffer.concat([this.prefix, components])
        : Buffer.concat([this.prefix, components, recordBytes(recordId)]);
    }
    if (WRITER.inexact && !this.stored.inexact) flagged('inexact');
    if (!this.stored.unique) WRITER.uint48(recordId);
    return WRITER.take();
  }
}

const distinct = (keys: readonly Buffer[]): Buffer[] => [
  ...new Map(keys.map((key) => [key.toString('latin1'), key])).values(),
];

const pathsIn = (filter: Filter): Path[] =>
  filter.kind === 'field' ? [filter.path] : filter.parts.flatMap(pathsIn);

export const recordBytes = (recordId: number): Buffer => {
  const bytes = Buffer.allocUnsafe(RECORD_LENGTH);
  bytes.writeUIntBE(recordId, 0, RECORD_LENGTH);
  return bytes;
};

/** The record a non-unique index's key ends with. */
export const recordOfKey = (key: Buffer): number =>
  Buffer.prototype.readUIntBE.call(key, key.length - RECORD_LENGTH, RECORD_LENGTH);

/** The record a unique index's value names. */
export const recordOfValue = (value: Buffer): number =>
  Buffer.prototype.readUIntBE.call(value, 0, RECORD_LENGTH);

/** The key of a document in the store. */
export const documentKey = (collectionId: number, recordId: number): Buffer => {
  const key = Buffer.allocUnsafe(ID_LENGTH + RECORD_LENGTH);
  key.writeUInt32BE(collectionId, 0);
  key.writeUIntBE(recordId, ID_LENGTH, RECORD_LENGTH);
  return key;
};
