import type { StoreFilter } from '@app/rules';
import type { ContactColumn } from '../contacts/contact-columns';
import type { ContactDocument } from '../contacts/contact.document';

export type SortValue = string | number | null;

/** Where a page ended: the sort value of its last row (null where it has none) and its id. */
export type PagePosition = Readonly<{ value: SortValue; id: string }>;

export type SortOrder = Readonly<{
  /** Null: no document has the column, so that only the ties are left. */
  column: ContactColumn | null;
  direction: 1 | -1;
}>;

/** A stretch of an index, in order. */
export type KeyRange = Readonly<{ filter: StoreFilter; sort: Readonly<Record<string, 1 | -1>> }>;

const LEAST = { text: '', number: Number.NEGATIVE_INFINITY } as const;

/**
 * What is left behind `after`, as stretches of the column's index, to be read one after the other. A single comparison
 * would not do: the store compares only values of one type, so that rows without the value would be lost at the seam.
 */
export const keyRanges = ({ column, direction }: SortOrder, after: PagePosition | null): KeyRange[] => {
  const beyond = direction === 1 ? '$gt' : '$lt';
  if (column === null) {
    return [{ filter: after === null ? {} : { _id: { [beyond]: after.id } }, sort: { _id: direction } }];
  }
  const { path, kind } = column;
  const range = (filter: StoreFilter): KeyRange => ({ filter, sort: { [path]: direction, _id: direction } });
  if (after === null) return [range({})];
  const ties = range({ [path]: after.value, _id: { [beyond]: after.id } });
  if (after.value === null)
    return direction === 1 ? [ties, range({ [path]: { $gte: LEAST[kind] } })] : [ties];
  const further = range({ [path]: { [beyond]: after.value } });
  return direction === 1 ? [ties, further] : [ties, further, range({ [path]: null })];
};

/** What a document is sorted by; null where it has no such value. */
export const sortValueOf = (doc: ContactDocument, { column }: SortOrder): SortValue => {
  let value: unknown = doc;
  for (const name of column?.path.split('.') ?? []) {
    value =
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  }
  return typeof value === 'string' || typeof value === 'number' ? value : null;
};
