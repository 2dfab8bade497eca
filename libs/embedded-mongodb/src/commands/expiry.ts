import { rawOf } from '../bson/document-writer';
import { afterPrefix, encodeValue } from '../bson/key-encoding';
import { Collection } from '../storage/collection';
import { Index, recordOfKey, recordOfValue } from '../storage/index-key';
import { Store } from '../storage/store';

const CHUNK = 200;
const DATE_RANK = Buffer.from([0x32]);

/** Removes some documents whose date in a TTL index has passed; returns whether there may be more. */
export const expireSome = (store: Store, collection: Collection, index: Index): boolean => {
  const [field, ...others] = index.fields;
  const seconds = index.stored.expireAfterSeconds;
  if (!field || others.length > 0 || seconds === undefined || index.stored.building || !collection.alive)
    return false;
  const limit = encodeValue(rawOf(new Date(Date.now() - seconds * 1_000))!);
  const [from, to] = [DATE_RANK, afterPrefix(limit)];
  // A descending index holds the bytes turned over, and so the range, too.
  const [start, end] = field.descending ? [inverted(limit), afterPrefix(inverted(DATE_RANK))] : [from, to];
  const range = { start: Buffer.concat([index.prefix, start]), end: Buffer.concat([index.prefix, end]) };
  const entries = store.entries(range, CHUNK);
  for (const { key, value } of entries) {
    const recordId = index.stored.unique ? recordOfValue(value) : recordOfKey(key);
    const document = collection.document(recordId);
    if (document) collection.remove(recordId, document);
  }
  return entries.length === CHUNK;
};

const inverted = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte) => ~byte & 0xff));
