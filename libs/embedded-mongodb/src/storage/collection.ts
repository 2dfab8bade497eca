import { ObjectId } from 'bson';
import { CommandError, DuplicateKeyError } from '../command.error';
import { sameBytes } from '../bson/compare';
import { DocumentWriter, rawOf } from '../bson/document-writer';
import { keysOf } from '../bson/path';
import { asValue, ElementCursor, fieldOf, T, Value } from '../bson/raw-value';
import { shellText } from '../bson/shell-text';
import { afterPrefix } from '../bson/key-encoding';
import { documentKey, Index, recordBytes, recordOfKey, recordOfValue, StoredIndex } from './index-key';
import { KeyRange, Store } from './store';

export const DOCUMENT_SIZE_MAX = 16 * 1024 * 1024;
const ID = Buffer.from('_id');
const EMPTY = Buffer.alloc(0);

export type StoredCollection = { id: number; indexes: StoredIndex[] };

/**
 * Documents of one collection and the entries of its indexes. All writing methods are to be called inside
 * `store.write`; each checks before it writes, so that a refusal leaves nothing behind.
 */
export class Collection {
  indexes: Index[];
  private nextRecordId: number;
  private documentCount: number | undefined;
  /** False once dropped: a cursor or a long command over it ends. */
  alive = true;

  constructor(
    private readonly store: Store,
    public namespace: string,
    readonly stored: StoredCollection,
    private readonly catalogChanged: () => void,
  ) {
    this.indexes = stored.indexes.map((index) => new Index(index));
    const [last] = store.keys(this.range, 1, true);
    this.nextRecordId = last ? recordOfKey(last) + 1 : 1;
  }

  get range(): KeyRange {
    const start = documentKey(this.stored.id, 0).subarray(0, 4);
    return { start, end: afterPrefix(start) };
  }

  get idIndex(): Index {
    return this.indexes[0]!;
  }

  get count(): number {
    this.documentCount ??= this.store.count(this.range);
    return this.documentCount;
  }

  document(recordId: number): Buffer | undefined {
    return this.store.get(documentKey(this.stored.id, recordId));
  }

  /** The record whose `_id` equals the value. */
  recordById(id: Value): number | undefined {
    const [key] = this.idIndex.entriesOf(idDocument(id), 0, () => undefined);
    const found = key && this.store.get(key);
    return found && recordOfValue(found);
  }

  /** Stores a new document and returns it as stored. Throws DuplicateKeyError, or what else speaks against it, before anything is written. */
  insert(document: Buffer): Buffer {
    const withId = ensureId(document);
    const recordId = this.nextRecordId;
    const keys = this.indexes.map((index) => {
      const made = this.keysIn(index, withId, recordId);
      this.checkUnique(index, made, recordId, withId);
      return made;
    });
    this.nextRecordId += 1;
    // Counted before the insert, or the count would see it already.
    const count = this.count;
    this.store.put(documentKey(this.stored.id, recordId), withId);
    this.indexes.forEach((index, i) => this.putAll(index, keys[i]!, recordId));
    this.documentCount = count + 1;
    this.store.note(this.namespace, fieldOf(withId, 0, ID)!, withId);
    return withId;
  }

  /** Puts a document in another one's place; only index entries whose fields differ are touched. */
  replace(recordId: number, before: Buffer, after: Buffer): void {
    checkSize(after);
    const differs = differences(before, after);
    const work = this.indexes
      .filter((index) => index.roots.some(differs))
      .map((index) => {
        const old = this.keysIn(index, before, recordId);
        const next = this.keysIn(index, after, recordId);
        return { index, removed: without(old, next), added: without(next, old) };
      });
    for (const { index, added } of work) this.checkUnique(index, added, recordId, after);
    this.store.put(documentKey(this.stored.id, recordId), after);
    this.store.note(this.namespace, fieldOf(after, 0, ID)!, after);
    for (const { index, removed, added } of work) {
      for (const key of removed) this.removeEntry(index, key, recordId);
      this.putAll(index, added, recordId);
    }
  }

  remove(recordId: number, document: Buffer): void {
    const count = this.count;
    this.store.remove(documentKey(this.stored.id, recordId));
    this.store.note(this.namespace, fieldOf(document, 0, ID)!, undefined);
    for (const index of this.indexes) {
      for (const key of this.keysIn(index, document, recordId)) this.removeEntry(index, key, recordId);
    }
    this.documentCount = count - 1;
  }

  /** An index that is being built may not have this document's key yet, and another document's instead. */
  private removeEntry(index: Index, key: Buffer, recordId: number): void {
    if (index.stored.building && index.stored.unique) {
      const value = this.store.get(key);
      if (value && recordOfValue(value) !== recordId) return;
    }
    this.store.remove(key);
  }

  /** Adds the index's entries of documents behind `after`; returns the last one done, or undefined at the end. */
  buildEntries(index: Index, after: Buffer | undefined, limit: number): Buffer | undefined {
    const chunk = this.store.entries(this.range, limit, false, after);
    for (const { key, value } of chunk) {
      const recordId = recordOfKey(key);
      const keys = this.keysIn(index, value, recordId);
      this.checkUnique(index, keys, recordId, value);
      this.putAll(index, keys, recordId);
    }
    return chunk.length < limit ? undefined : chunk.at(-1)!.key;
  }

  private keysIn(index: Index, document: Buffer, recordId: number): Buffer[] {
    return index.entriesOf(asValue(document), recordId, (flag) => {
      if (flag === 'inexact') index.stored.inexact = true;
      else index.stored.multikey[flag] = true;
      this.catalogChanged();
    });
  }

  private putAll(index: Index, keys: readonly Buffer[], recordId: number): void {
    for (const key of keys) this.store.put(key, index.stored.unique ? recordBytes(recordId) : EMPTY);
  }

  private checkUnique(index: Index, keys: readonly Buffer[], recordId: number, document: Buffer): void {
    if (!index.stored.unique) return;
    for (const key of keys) {
      const value = this.store.get(key);
      if (value && recordOfValue(value) !== recordId) throw this.duplicateKey(index, document, key, recordId);
    }
  }

  private duplicateKey(index: Index, document: Buffer, key: Buffer, recordId: number): DuplicateKeyError {
    const { tuples } = keysOf(asValue(document), index.paths);
    const tuple =
      tuples.length === 1
        ? tuples[0]!
        : (tuples.find((_, i) =>
            index.entriesOf(asValue(document), recordId, () => undefined)[i]?.equals(key),
          ) ?? tuples[0]!);
    const pattern = new DocumentWriter(64);
    const values = new DocumentWriter(64);
    const patternMark = pattern.begin();
    const valuesMark = values.begin();
    const texts: string[] = [];
    index.fields.forEach(({ path, descending }, i) => {
      const value = tuple[i] ?? { type: T.null, buf: EMPTY, at: 0, end: 0 };
      pattern.int32(path.text, descending ? -1 : 1);
      values.value(path.text, value);
      texts.push(`${path.text}: ${shellText(value)}`);
    });
    pattern.end(patternMark);
    values.end(valuesMark);
    return new DuplicateKeyError(
      `E11000 duplicate key error collection: ${this.namespace} index: ${index.stored.name} dup key: { ${texts.join(', ')} }`,
      pattern.take(),
      values.take(),
    );
  }
}

/** The keys that are not among others; of an array there may be many. */
const without = (keys: readonly Buffer[], others: readonly Buffer[]): readonly Buffer[] => {
  if (others.length <= 1) return keys.filter((key) => !others[0]?.equals(key));
  const known = new Set(others.map((key) => key.toString('latin1')));
  return keys.filter((key) => !known.has(key.toString('latin1')));
};

const idDocument = (id: Value): Value => {
  const writer = new DocumentWriter(id.end - id.at + 32);
  const mark = writer.begin();
  writer.value(ID, id);
  writer.end(mark);
  return asValue(writer.buf);
};

const checkSize = (document: Buffer): void => {
  if (document.length > DOCUMENT_SIZE_MAX) {
    throw new CommandError(
      10334,
      `BSONObj size: ${document.length} is invalid. Size must be between 0 and ${DOCUMENT_SIZE_MAX}`,
    );
  }
};

/** What a server refuses as an `_id`. */
export const checkId = (id: Value): void => {
  if (id.type === T.array || id.type === T.regex || id.type === T.undefined) {
    const kind = id.type === T.array ? 'array' : id.type === T.regex ? 'regex' : 'undefined';
    throw new CommandError(53, `The '_id' value cannot be of type ${kind}`);
  }
  if (id.type === T.object) {
    const cursor = new ElementCursor(id.buf, id.at);
    while (cursor.next()) {
      if (cursor.buf[cursor.nameAt] === 0x24) {
        throw new CommandError(
          52,
          `_id fields may not contain '$'-prefixed fields: ${cursor.name} is not valid for storage.`,
        );
      }
    }
  }
};

/** Every document has an `_id`, and it comes first. */
const ensureId = (document: Buffer): Buffer => {
  checkSize(document);
  // The usual case: the client put it first.
  const cursor = new ElementCursor(document, 0);
  if (cursor.next() && cursor.isNamed(ID)) {
    checkId(cursor.value);
    return document;
  }
  const id = fieldOf(document, 0, ID) ?? rawOf(new ObjectId())!;
  checkId(id);
  const writer = new DocumentWriter(document.length + 32);
  const mark = writer.begin();
  writer.value(ID, id);
  const rest = new ElementCursor(document, 0);
  while (rest.next()) {
    if (!rest.isNamed(ID)) writer.raw(document, rest.nameAt - 1, rest.end);
  }
  writer.end(mark);
  return writer.take();
};

/**
 * Says for a top-level field whether it differs. Documents with the same fields in the same order, as a replacement
 * mostly is, are compared in one walk.
 */
const differences = (before: Buffer, after: Buffer): ((root: Buffer) => boolean) => {
  const old = new ElementCursor(before, 0);
  const next = new ElementCursor(after, 0);
  const changed: Buffer[] = [];
  for (;;) {
    const more = old.next();
    if (more !== next.next()) break;
    if (!more) return (root) => changed.some((name) => name.equals(root));
    const name = before.subarray(old.nameAt, old.nameEnd);
    if (!next.isNamed(name)) break;
    if (!sameBytes(old.value, next.value)) changed.push(name);
  }
  return (root) => {
    const left = fieldOf(before, 0, root);
    const right = fieldOf(after, 0, root);
    return left === undefined || right === undefined ? left !== right : !sameBytes(left, right);
  };
};
