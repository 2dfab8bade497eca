import { CommandError, failedToParse, typeName } from '../command.error';
import { compareValues } from '../bson/compare';
import { DocumentWriter } from '../bson/document-writer';
import { asValue, bytesOf, ElementCursor, entriesOf, fieldOf, T, Value } from '../bson/raw-value';
import { Filter, equalitiesOf } from '../query/filter';
import { bytesOfDocument, changeAt, EditableDocument, removeAt } from './editable';
import { Change, changeOf } from './operators';

/** What an update makes of a document. */
export type Update = Readonly<{
  isReplacement: boolean;
  /** The document after the update; the same buffer where nothing changes. */
  apply: (document: Buffer) => Buffer;
  /** The document an upsert stores where the filter found none. */
  create: (filter: Filter) => Buffer;
}>;

const OPERATORS: ReadonlySet<string> = new Set([
  '$set',
  '$unset',
  '$inc',
  '$mul',
  '$min',
  '$max',
  '$push',
  '$addToSet',
  '$pull',
  '$setOnInsert',
  '$currentDate',
]);
/** Known to a real server, not on this one's list. */
const REFUSED: ReadonlySet<string> = new Set(['$rename', '$pop', '$pullAll', '$bit']);

const ID = Buffer.from('_id');

type Modification = Readonly<{ operator: string; parts: readonly string[]; change: Change }>;

/** Compiles the `u` of an update statement: a replacement or operators. */
export const compileUpdate = (update: Value, multi: boolean): Update => {
  if (update.type === T.array) throw new CommandError(238, 'pipeline updates are not supported');
  if (update.type !== T.object) throw failedToParse('Update argument must be either an object or an array');
  const cursor = new ElementCursor(update.buf, update.at);
  const isReplacement = !cursor.next() || update.buf[cursor.nameAt] !== 0x24;
  if (!isReplacement) return operatorUpdate(update);
  if (multi) throw failedToParse('multi update is not supported for replacement-style update');
  return replacementUpdate(bytesOf(update));
};

const replacementUpdate = (replacement: Buffer): Update => {
  const cursor = new ElementCursor(replacement, 0);
  while (cursor.next()) {
    if (replacement[cursor.nameAt] === 0x24) {
      throw new CommandError(
        52,
        `The dollar ($) prefixed field '${cursor.name}' in '${cursor.name}' is not valid for storage.`,
      );
    }
  }
  const ownId = fieldOf(replacement, 0, ID);
  return {
    isReplacement: true,
    apply: (document) => {
      const id = fieldOf(document, 0, ID)!;
      if (ownId && compareValues(ownId, id) !== 0) {
        throw new CommandError(
          66,
          "After applying the update, the (immutable) field '_id' was found to have been altered",
        );
      }
      // Only a replacement that names its `_id` can be no change; so a real server counts.
      return replacement.equals(document) ? document : withId(replacement, id);
    },
    create: (filter) => {
      const id = ownId ?? equalitiesOf(filter).find(([path]) => path.text === '_id')?.[1];
      return id ? withId(replacement, id) : replacement;
    },
  };
};

/** The replacement with that `_id` at its start. */
const withId = (replacement: Buffer, id: Value): Buffer => {
  const first = new ElementCursor(replacement, 0);
  const leads = first.next() && first.isNamed(ID);
  if (
    leads &&
    first.type === id.type &&
    replacement.compare(id.buf, id.at, id.end, first.at, first.end) === 0
  )
    return replacement;
  const writer = new DocumentWriter(replacement.length + id.end - id.at + 16);
  const mark = writer.begin();
  writer.value(ID, id);
  const cursor = new ElementCursor(replacement, 0);
  while (cursor.next()) if (!cursor.isNamed(ID)) writer.raw(replacement, cursor.nameAt - 1, cursor.end);
  writer.end(mark);
  return writer.take();
};

const operatorUpdate = (update: Value): Update => {
  const modifications = entriesOf(update).flatMap(([operator, fields]) => modificationsOf(operator, fields));
  checkConflicts(modifications);
  modifications.sort((a, b) => comparePaths(a.parts, b.parts));
  const onUpdate = modifications.filter(({ operator }) => operator !== '$setOnInsert');
  const changed = (document: Buffer, list: readonly Modification[]): Buffer => {
    const editable = EditableDocument.of(asValue(document));
    let isCalculated = false;
    for (const { operator, parts, change } of list) {
      if (operator === '$unset') removeAt(editable, parts);
      else if (changeAt(editable, parts, change)) isCalculated ||= operator === '$inc' || operator === '$mul';
    }
    const after = bytesOfDocument(editable, document.length);
    // A sum that is NaN again counts as a change, as on a real server.
    return after.equals(document) && !isCalculated ? document : after;
  };
  return {
    isReplacement: false,
    apply: (document) => {
      const after = changed(document, onUpdate);
      checkSameId(document, after);
      return after;
    },
    create: (filter) => {
      const start = new EditableDocument(new Map());
      for (const [path, value] of equalitiesOf(filter)) {
        changeAt(start, path.text.split('.'), (old) => {
          if (old)
            throw new CommandError(
              54,
              `cannot infer query fields to set, path '${path.text}' is matched twice`,
            );
          return value;
        });
      }
      const base = bytesOfDocument(start, 256);
      const created = changed(base, modifications);
      if (fieldOf(base, 0, ID)) checkSameId(base, created);
      return created;
    },
  };
};

const checkSameId = (before: Buffer, after: Buffer): void => {
  const [old, next] = [fieldOf(before, 0, ID), fieldOf(after, 0, ID)];
  if (old && (!next || compareValues(old, next) !== 0)) {
    throw new CommandError(
      66,
      "Performing an update on the path '_id' would modify the immutable field '_id'",
    );
  }
};

const modificationsOf = (operator: string, fields: Value): Modification[] => {
  if (REFUSED.has(operator)) throw new CommandError(238, `update operator ${operator} is not supported`);
  if (!OPERATORS.has(operator)) {
    throw failedToParse(
      operator.startsWith('$')
        ? `Unknown modifier: ${operator}. Expected a valid update modifier or pipeline-style update specified as an array`
        : `Unknown modifier: ${operator}. Expected a valid update modifier`,
    );
  }
  if (fields.type !== T.object) {
    throw failedToParse(
      `Modifiers operate on fields but we found type ${typeName(fields.type)} instead. For example: {$mod: {<field>: ...}}`,
    );
  }
  return entriesOf(fields).map(([path, operand]) => {
    const parts = path.split('.');
    if (parts.includes(''))
      throw new CommandError(
        56,
        `The update path '${path}' contains an empty field name, which is not allowed.`,
      );
    const positional = parts.find((part) => part.startsWith('$'));
    if (positional !== undefined) {
      throw /^\$(\[.*\])?$/.test(positional)
        ? new CommandError(238, 'positional operators are not supported')
        : new CommandError(
            52,
            `The dollar ($) prefixed field '${positional}' in '${path}' is not allowed in the context of an update's operators.`,
          );
    }
    return {
      operator,
      parts,
      change: operator === '$unset' ? () => undefined : changeOf(operator, path, operand),
    };
  });
};

const checkConflicts = (modifications: readonly Modification[]): void => {
  const seen = new Set<string>();
  const inner = new Set<string>();
  for (const { parts } of modifications) {
    const path = parts.join('.');
    const prefixes = parts.slice(0, -1).map((_, depth) => parts.slice(0, depth + 1).join('.'));
    const conflict = seen.has(path) || inner.has(path) ? path : prefixes.find((prefix) => seen.has(prefix));
    if (conflict !== undefined) {
      throw new CommandError(40, `Updating the path '${path}' would create a conflict at '${conflict}'`);
    }
    seen.add(path);
    for (const prefix of prefixes) inner.add(prefix);
  }
};

/** New fields are added in the order of their names, numbers by value, whatever the order in the command. */
const comparePaths = (a: readonly string[], b: readonly string[]): number => {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const [left, right] = [a[i]!, b[i]!];
    if (left === right) continue;
    const areNumbers = /^\d+$/.test(left) && /^\d+$/.test(right);
    if (areNumbers && Number(left) !== Number(right)) return Number(left) - Number(right);
    return Buffer.compare(Buffer.from(left), Buffer.from(right));
  }
  return a.length - b.length;
};
