import { badValue, CommandError } from '../command.error';
import { KeyWriter } from '../bson/key-encoding';
import { Keys, keysOf, Path, pathOf } from '../bson/path';
import { asValue, entriesOf, isNumber, numberOf, T, Value } from '../bson/raw-value';
import { SortField } from './planner';

/** Memory a sort may take, as in MongoDB. */
const SORT_BYTES_MAX = 100 * 1024 * 1024;
const SORT_FIELDS_MAX = 32;

/** Parses `{ path: 1 | -1 }`. */
export const parseSort = (document: Value | undefined): SortField[] => {
  if (!document) return [];
  if (document.type !== T.object) throw badValue('sort must be an object');
  const fields = entriesOf(document).map(([name, value]): SortField => {
    if (value.type === T.object) throw new CommandError(238, '$meta sort is not supported');
    const direction = isNumber(value.type) && value.type !== T.decimal ? Number(numberOf(value)) : 0;
    if (direction !== 1 && direction !== -1) {
      throw badValue('$sort key ordering must be 1 (for ascending) or -1 (for descending)');
    }
    if (name === '') throw badValue('FieldPath cannot be constructed with empty string');
    return { path: pathOf(name), descending: direction === -1 };
  });
  if (fields.length > SORT_FIELDS_MAX) throw badValue(`too many fields in sort: ${fields.length}`);
  return fields;
};

const WRITER = new KeyWriter();

/** A document's place in an order: the least of its keys, as in an index walk. */
export const sortKeyOf = (document: Buffer, sort: readonly SortField[], paths: readonly Path[]): Buffer => {
  const { tuples } = sortTuples(document, paths);
  let least: Buffer | undefined;
  for (const tuple of tuples) {
    WRITER.reset();
    tuple.forEach((value, i) => WRITER.component(value, sort[i]!.descending));
    const key = WRITER.take();
    if (!least || key.compare(least) < 0) least = key;
  }
  return least!;
};

const sortTuples = (document: Buffer, paths: readonly Path[]): Keys => {
  try {
    return keysOf(asValue(document), paths);
  } catch (error) {
    // What an index refuses with one code, a sort refuses with another.
    if (error instanceof CommandError && error.code === 171)
      throw badValue('cannot sort with keys that are parallel arrays');
    throw error;
  }
};

type Entry = Readonly<{ key: Buffer; order: number; document: Buffer }>;

const compareEntries = (a: Entry, b: Entry): number => a.key.compare(b.key) || a.order - b.order;

/** Sorts documents in memory, stable; keeps only the first `limit` of them. */
export class Sorter {
  private entries: Entry[] = [];
  private bytes = 0;
  private order = 0;
  private readonly paths: readonly Path[];

  constructor(
    private readonly sort: readonly SortField[],
    private readonly limit: number,
  ) {
    this.paths = sort.map((field) => field.path);
  }

  add(document: Buffer): void {
    const entry = { key: sortKeyOf(document, this.sort, this.paths), order: this.order, document };
    this.order += 1;
    // Twice the limit, then cut: amortised cheaper than a heap.
    if (this.entries.length >= this.limit * 2 + 100) this.cut();
    this.entries.push(entry);
    this.bytes += entry.key.length + document.length;
    if (this.bytes > SORT_BYTES_MAX) {
      this.cut();
      if (this.bytes > SORT_BYTES_MAX) {
        throw new CommandError(
          292,
          `Sort exceeded memory limit of ${SORT_BYTES_MAX} bytes, but did not opt in to external sorting.`,
        );
      }
    }
  }

  private cut(): void {
    this.entries.sort(compareEntries);
    if (this.entries.length <= this.limit) return;
    this.entries.length = this.limit;
    this.bytes = this.entries.reduce((sum, entry) => sum + entry.key.length + entry.document.length, 0);
  }

  sorted(): Buffer[] {
    this.cut();
    return this.entries.map((entry) => entry.document);
  }
}
