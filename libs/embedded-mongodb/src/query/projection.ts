import { CommandError, failedToParse } from '../command.error';
import { DocumentWriter } from '../bson/document-writer';
import { ElementCursor, entriesOf, isNumber, numberOf, T, Value } from '../bson/raw-value';
import { compileExpression, Expression } from '../aggregate/expression';
import { truthOf } from './filter';

/** Turns a document into what the client asked for. */
export type Projector = (document: Buffer) => Buffer;

type Node = Readonly<{ children: Map<string, Node> }> | 'keep' | 'drop' | Expression;

const DEPTH_MAX = 50;

type Shape = { root: Map<string, Node>; including: boolean | undefined; id: boolean | Expression };

const refuse = (code: number, message: string): never => {
  throw new CommandError(code, message);
};

/** Compiles a projection document (`find`, `$project`); undefined where it keeps everything. */
export const compileProjection = (projection: Value | undefined): Projector | undefined => {
  if (!projection || projection.buf[projection.at + 4] === 0) return undefined;
  const shape: Shape = { root: new Map(), including: undefined, id: true };
  for (const [name, value] of entriesOf(projection)) addField(shape, name, value);
  const including =
    shape.including ?? (shape.id !== false || shape.root.size > 0 ? shape.id === true : false);
  if (shape.including === undefined && shape.id === false)
    return (document) => exclude(document, new Map([['_id', 'drop']]));
  const root = new Map(shape.root);
  if (including) {
    const nodes = new Map<string, Node>();
    if (shape.id !== false) nodes.set('_id', shape.id === true ? 'keep' : shape.id);
    for (const [name, node] of root) nodes.set(name, node);
    return (document) => include(document, nodes);
  }
  if (shape.id === false) root.set('_id', 'drop');
  return (document) => exclude(document, root);
};

const addField = (shape: Shape, name: string, value: Value, path: readonly string[] = []): void => {
  const parts = [...path, ...name.split('.')];
  if (parts.length > DEPTH_MAX) refuse(2, 'projection is nested too deeply');
  if (name === '' || parts.includes('')) refuse(40352, 'FieldPath cannot be constructed with empty string');
  if (parts.some((part) => part.startsWith('$'))) {
    refuse(
      name.endsWith('.$') ? 238 : 16410,
      `FieldPath field names may not start with '$'. Consider using $getField or $setField.`,
    );
  }
  if (value.type === T.object && !isExpression(value)) {
    const inner = entriesOf(value);
    if (inner.length === 0)
      refuse(51270, 'An empty sub-projection is not a valid value. Found empty object at path');
    for (const [child, item] of inner) addField(shape, child, item, parts);
    return;
  }
  const node = nodeOf(value);
  if (parts.length === 1 && name === '_id') {
    if (node === 'drop') shape.id = false;
    else {
      shape.id = node === 'keep' ? true : (node as Expression);
      shape.including ??= true;
    }
    return;
  }
  const includes = node !== 'drop';
  if (shape.including !== undefined && shape.including !== includes) {
    refuse(
      includes ? 31253 : 31254,
      includes
        ? `Cannot do inclusion on field ${parts.join('.')} in exclusion projection`
        : `Cannot do exclusion on field ${parts.join('.')} in inclusion projection`,
    );
  }
  shape.including = includes;
  place(shape.root, parts, node);
};

const isExpression = (value: Value): boolean => value.buf[value.at + 5] === 0x24;

const nodeOf = (value: Value): Node => {
  if (value.type === T.bool || isNumber(value.type)) {
    if (value.type === T.decimal) return 'keep';
    return truthOf(value.type === T.bool ? value : numericTruth(value)) ? 'keep' : 'drop';
  }
  if (value.type === T.object) {
    const [operator = ''] = entriesOf(value)[0] ?? [];
    if (['$slice', '$elemMatch', '$meta'].includes(operator))
      refuse(238, `${operator} in a projection is not supported`);
  }
  return compileExpression(value);
};

const numericTruth = (value: Value): Value => (numberOf(value) === 0 ? { ...value, type: T.null } : value);

const place = (root: Map<string, Node>, parts: readonly string[], node: Node): void => {
  let level = root;
  parts.forEach((part, depth) => {
    const existing = level.get(part);
    if (depth === parts.length - 1) {
      if (existing !== undefined) refuse(31250, `Path collision at ${parts.join('.')}`);
      level.set(part, node);
      return;
    }
    if (existing !== undefined && (existing === 'keep' || existing === 'drop' || !('children' in existing))) {
      return refuse(
        31249,
        `Path collision at ${parts.join('.')} remaining portion ${parts.slice(depth + 1).join('.')}`,
      );
    }
    const next = (existing as { children: Map<string, Node> } | undefined) ?? { children: new Map() };
    level.set(part, next);
    level = next.children;
  });
};

const exclude = (document: Buffer, nodes: Map<string, Node>): Buffer => {
  const writer = new DocumentWriter(document.length);
  writeExcluded(writer, document, 0, nodes, writer.begin());
  return writer.take();
};

const writeExcluded = (
  writer: DocumentWriter,
  buf: Buffer,
  at: number,
  nodes: Map<string, Node>,
  mark: number,
): void => {
  const cursor = new ElementCursor(buf, at);
  while (cursor.next()) {
    const node = nodes.get(cursor.name);
    if (node === 'drop') continue;
    if (
      node &&
      typeof node === 'object' &&
      'children' in node &&
      (cursor.type === T.object || cursor.type === T.array)
    ) {
      const inner = writer.beginDocument(buf.subarray(cursor.nameAt, cursor.nameEnd), cursor.type);
      if (cursor.type === T.object) writeExcluded(writer, buf, cursor.at, node.children, inner);
      else writeExcludedItems(writer, buf, cursor.at, node.children, inner);
    } else writer.raw(buf, cursor.nameAt - 1, cursor.end);
  }
  writer.end(mark);
};

const writeExcludedItems = (
  writer: DocumentWriter,
  buf: Buffer,
  at: number,
  nodes: Map<string, Node>,
  mark: number,
): void => {
  const cursor = new ElementCursor(buf, at);
  let index = 0;
  while (cursor.next()) {
    if (cursor.type === T.object)
      writeExcluded(writer, buf, cursor.at, nodes, writer.beginItem(index, T.object));
    else if (cursor.type === T.array)
      writeExcludedItems(writer, buf, cursor.at, nodes, writer.beginItem(index, T.array));
    else writer.item(index, cursor.value);
    index += 1;
  }
  writer.end(mark);
};

const include = (document: Buffer, nodes: Map<string, Node>): Buffer => {
  const writer = new DocumentWriter(document.length);
  writeIncluded(writer, document, document, 0, nodes, writer.begin());
  return writer.take();
};

/** Kept fields in the document's order, then computed ones in the projection's. */
const writeIncluded = (
  writer: DocumentWriter,
  root: Buffer,
  buf: Buffer,
  at: number | undefined,
  nodes: Map<string, Node>,
  mark: number,
): void => {
  const visited = new Set<string>();
  if (at !== undefined) {
    const cursor = new ElementCursor(buf, at);
    while (cursor.next()) {
      const name = cursor.name;
      const node = nodes.get(name);
      if (node === 'keep') writer.raw(buf, cursor.nameAt - 1, cursor.end);
      else if (node && typeof node === 'object' && 'children' in node) {
        visited.add(name);
        if (cursor.type === T.object) {
          writeIncluded(writer, root, buf, cursor.at, node.children, writer.beginDocument(name));
        } else if (cursor.type === T.array) {
          writeIncludedItems(
            writer,
            root,
            buf,
            cursor.at,
            node.children,
            writer.beginDocument(name, T.array),
          );
        } else if (hasExpression(node.children)) {
          writeIncluded(writer, root, buf, undefined, node.children, writer.beginDocument(name));
        }
      }
    }
  }
  for (const [name, node] of nodes) {
    if (typeof node !== 'object' || visited.has(name)) continue;
    if ('children' in node) {
      if (hasExpression(node.children))
        writeIncluded(writer, root, buf, undefined, node.children, writer.beginDocument(name));
      continue;
    }
    const value = node.evaluate(root);
    if (value) writer.value(name, value);
  }
  writer.end(mark);
};

const hasExpression = (nodes: Map<string, Node>): boolean =>
  [...nodes.values()].some(
    (node) => typeof node === 'object' && (!('children' in node) || hasExpression(node.children)),
  );

const writeIncludedItems = (
  writer: DocumentWriter,
  root: Buffer,
  buf: Buffer,
  at: number,
  nodes: Map<string, Node>,
  mark: number,
): void => {
  const cursor = new ElementCursor(buf, at);
  let index = 0;
  while (cursor.next()) {
    if (cursor.type === T.object)
      writeIncluded(writer, root, buf, cursor.at, nodes, writer.beginItem(index, T.object));
    else if (cursor.type === T.array)
      writeIncludedItems(writer, root, buf, cursor.at, nodes, writer.beginItem(index, T.array));
    else if (hasExpression(nodes))
      writeIncluded(writer, root, buf, undefined, nodes, writer.beginItem(index, T.object));
    else continue;
    index += 1;
  }
  writer.end(mark);
};

/** `$addFields` and `$set`: all fields, with these replaced or added. */
export const compileAddition = (spec: Value): Projector => {
  if (spec.type !== T.object)
    throw new CommandError(40272, '$addFields specification stage must be an object');
  const root = new Map<string, Node>();
  const add = (name: string, value: Value, path: readonly string[]): void => {
    const parts = [...path, ...name.split('.')];
    if (name === '' || parts.some((part) => part === '' || part.startsWith('$'))) {
      refuse(16410, `FieldPath field names may not start with '$'. Consider using $getField or $setField.`);
    }
    if (parts.length > DEPTH_MAX) throw failedToParse('nested too deeply');
    if (value.type === T.object && !isExpression(value) && value.buf[value.at + 4] !== 0) {
      for (const [child, item] of entriesOf(value)) add(child, item, parts);
    } else place(root, parts, compileExpression(value));
  };
  for (const [name, value] of entriesOf(spec)) add(name, value, []);
  if (root.size === 0)
    throw new CommandError(
      40177,
      'Invalid $addFields :: caused by :: specification must have at least one field',
    );
  return (document) => {
    const writer = new DocumentWriter(document.length + 256);
    writeAdded(writer, document, document, 0, root, writer.begin());
    return writer.take();
  };
};

const writeAdded = (
  writer: DocumentWriter,
  root: Buffer,
  buf: Buffer,
  at: number | undefined,
  nodes: Map<string, Node>,
  mark: number,
): void => {
  const visited = new Set<string>();
  if (at !== undefined) {
    const cursor = new ElementCursor(buf, at);
    while (cursor.next()) {
      const name = cursor.name;
      const node = nodes.get(name);
      if (!node) writer.raw(buf, cursor.nameAt - 1, cursor.end);
      else {
        visited.add(name);
        writeNode(writer, root, node, name, cursor.value);
      }
    }
  }
  for (const [name, node] of nodes) if (!visited.has(name)) writeNode(writer, root, node, name, undefined);
  writer.end(mark);
};

const writeNode = (
  writer: DocumentWriter,
  root: Buffer,
  node: Node,
  name: string,
  old: Value | undefined,
): void => {
  if (typeof node !== 'object') return;
  if (!('children' in node)) {
    const value = node.evaluate(root);
    if (value) writer.value(name, value);
  } else if (old?.type === T.array) {
    writeAddedItems(writer, root, old, node.children, writer.beginDocument(name, T.array));
  } else {
    const at = old?.type === T.object ? old.at : undefined;
    writeAdded(writer, root, old?.buf ?? root, at, node.children, writer.beginDocument(name));
  }
};

const writeAddedItems = (
  writer: DocumentWriter,
  root: Buffer,
  array: Value,
  nodes: Map<string, Node>,
  mark: number,
): void => {
  const cursor = new ElementCursor(array.buf, array.at);
  let index = 0;
  while (cursor.next()) {
    if (cursor.type === T.array)
      writeAddedItems(writer, root, cursor.value, nodes, writer.beginItem(index, T.array));
    else {
      const at = cursor.type === T.object ? cursor.at : undefined;
      writeAdded(writer, root, array.buf, at, nodes, writer.beginItem(index, T.object));
    }
    index += 1;
  }
  writer.end(mark);
};
