import { DuplicateKeyError } from '../command.error';
import { asValue, bytesOf, entriesOf, textOf } from '../bson/raw-value';
import { Catalog } from './catalog';

/** Writes one record of the journal again: the document as it was after that write, whatever is there now. */
export const redo = (catalog: Catalog, record: Buffer): void => {
  const fields = new Map(entriesOf(asValue(record)));
  const collection = catalog.findOrCreate(textOf(fields.get('ns')!));
  const recordId = collection.recordById(fields.get('id')!);
  const before = recordId === undefined ? undefined : collection.document(recordId);
  const document = fields.get('document');
  try {
    if (!document) {
      if (before) collection.remove(recordId!, before);
    } else if (before) collection.replace(recordId!, before, bytesOf(document));
    else collection.insert(bytesOf(document));
  } catch (error) {
    // A later record of another document makes room, or the checkpoint has the newer of the two.
    if (!(error instanceof DuplicateKeyError)) throw error;
  }
};
