import { badValue, CommandError } from '../command.error';
import { ElementCursor, fieldOf, T, Value, valuesOf } from './raw-value';

/** A dotted field path, split once. */
export type Path = Readonly<{
  text: string;
  names: readonly Buffer[];
  positions: readonly (number | undefined)[];
}>;

const PARTS_MAX = 100;

/** Fails with BadValue where the path is deeper than documents may be. */
export const pathOf = (text: string): Path => {
  const parts = text.split('.');
  if (parts.length > PARTS_MAX) throw badValue(`FieldPath is too long, max depth: ${PARTS_MAX}`);
  return {
    text,
    names: parts.map((part) => Buffer.from(part)),
    positions: parts.map((part) => (/^(0|[1-9]\d{0,8})$/.test(part) ? Number(part) : undefined)),
  };
};

/**
 * Visits what a query's path leads to, through arrays as MongoDB does: each element of an array that is not the last
 * step is followed on its own. `visit` gets undefined where nothing is there; it stops the walk by returning true.
 */
export const visitPath = (
  buf: Buffer,
  docAt: number,
  path: Path,
  visit: (value: Value | undefined) => boolean,
  from = 0,
): boolean => {
  const value = fieldOf(buf, docAt, path.names[from]!);
  if (from === path.names.length - 1) return visit(value);
  if (!value) return visit(undefined);
  if (value.type === T.object) return visitPath(buf, value.at, path, visit, from + 1);
  if (value.type !== T.array) return visit(undefined);
  return visitArray(value, path, visit, from + 1);
};

const visitArray = (
  array: Value,
  path: Path,
  visit: (value: Value | undefined) => boolean,
  from: number,
): boolean => {
  const position = path.positions[from];
  if (position !== undefined) {
    const element = fieldOf(array.buf, array.at, path.names[from]!);
    if (element) {
      if (from === path.names.length - 1) {
        if (visit(element)) return true;
      } else if (element.type === T.object) {
        if (visitPath(element.buf, element.at, path, visit, from + 1)) return true;
      } else if (element.type === T.array) {
        if (visitArray(element, path, visit, from + 1)) return true;
      }
    }
  }
  const cursor = new ElementCursor(array.buf, array.at);
  while (cursor.next()) {
    if (cursor.type === T.object && visitPath(cursor.buf, cursor.at, path, visit, from)) return true;
  }
  return false;
};

/** The value at a path that may not lead through arrays; undefined where there is none. */
export const plainValueAt = (buf: Buffer, docAt: number, path: Path): Value | undefined => {
  let at = docAt;
  for (let i = 0; ; i += 1) {
    const value = fieldOf(buf, at, path.names[i]!);
    if (!value || i === path.names.length - 1) return value;
    if (value.type !== T.object) return undefined;
    at = value.at;
  }
};

/** What one entry of an index or one sort key has for each of its paths; undefined counts as null. */
export type KeyTuple = readonly (Value | undefined)[];

export type Keys = Readonly<{
  tuples: readonly KeyTuple[];
  /** For each path, whether an array was met on the way. */
  multikey: readonly boolean[] | undefined;
}>;

const UNDEFINED: Value = { type: T.undefined, buf: Buffer.alloc(0), at: 0, end: 0 };

/** Where a path has got to: at a value, or in a document with steps left. */
type Progress = Readonly<{ value: Value | undefined }> | Readonly<{ document: Value; step: number }>;

/** All keys a document has in an index on the paths: one for each element of the array that they share, if any. */
export const keysOf = (document: Value, paths: readonly Path[]): Keys => {
  const plain = new Array<Value | undefined>(paths.length);
  for (let i = 0; i < paths.length; i += 1) {
    const found = follow(document, paths[i]!, 0);
    if (found.array) return expandedKeys(document, paths);
    plain[i] = found.value;
  }
  return { tuples: [plain], multikey: undefined };
};

const follow = (
  document: Value,
  path: Path,
  from: number,
): { value?: Value | undefined; array?: Value; step: number } => {
  let container = document;
  for (let step = from; ; step += 1) {
    const value = fieldOf(container.buf, container.at, path.names[step]!);
    if (!value) return { value: undefined, step };
    if (value.type === T.array) {
      const position = path.positions[step + 1];
      const element =
        position === undefined ? undefined : fieldOf(value.buf, value.at, path.names[step + 1]!);
      if (!element) return { array: value, step: step + 1 };
      checkUnambiguous(value, path.names[step + 1]!);
      step += 1;
      if (step === path.names.length - 1)
        return element.type === T.array ? { array: element, step: step + 1 } : { value: element, step };
      if (element.type !== T.object) return { value: undefined, step };
      container = element;
      continue;
    }
    if (step === path.names.length - 1) return { value, step };
    if (value.type !== T.object) return { value: undefined, step };
    container = value;
  }
};

/** A number that is both a position and a field of an element has no one meaning in an index. */
const checkUnambiguous = (array: Value, name: Buffer): void => {
  for (const element of valuesOf(array)) {
    if (element.type === T.object && fieldOf(element.buf, element.at, name)) {
      throw new CommandError(
        16746,
        `Ambiguous field name found in array (do not use numeric field names in embedded elements in an array), field: '${name}'`,
      );
    }
  }
};

const expandedKeys = (document: Value, paths: readonly Path[]): Keys => {
  const tuples: KeyTuple[] = [];
  const multikey = paths.map(() => false);
  const expand = (states: readonly Progress[]): void => {
    let array: Value | undefined;
    const met = states.map((state, index) => {
      if ('value' in state) return state;
      const found = follow(state.document, paths[index]!, state.step);
      if (!found.array) return { value: found.value };
      if (array && array.at !== found.array.at) {
        throw new CommandError(171, `cannot index parallel arrays [${paths[index]!.text}]`);
      }
      array = found.array;
      multikey[index] = true;
      return { step: found.step };
    });
    const atLeaf = (index: number, step: number) => step >= paths[index]!.names.length;
    const advance = (element: Value | undefined): readonly Progress[] =>
      met.map((state, index) => {
        if ('value' in state) return { value: state.value };
        if (atLeaf(index, state.step)) return { value: element ?? UNDEFINED };
        return element?.type === T.object ? { document: element, step: state.step } : { value: undefined };
      });
    if (!array) return void tuples.push(met.map((state) => ('value' in state ? state.value : undefined)));
    const elements = valuesOf(array);
    if (elements.length === 0) return expand(advance(undefined));
    for (const element of elements) expand(advance(element));
  };
  expand(paths.map(() => ({ document, step: 0 })));
  return { tuples, multikey };
};
