import { CommandError, typeName } from '../command.error';
import { DocumentWriter } from '../bson/document-writer';
import { entriesOf, T, Value, valuesOf } from '../bson/raw-value';

/** A document opened for changes: raw where untouched, so that types, order and bytes stay as they were. */
export class EditableDocument {
  constructor(readonly fields: Map<string, Node>) {}

  static of(value: Value): EditableDocument {
    return new EditableDocument(new Map(entriesOf(value)));
  }
}

export class EditableArray {
  constructor(readonly items: Node[]) {}
}

export type Node = Value | EditableDocument | EditableArray;

const ARRAY_PADDING_MAX = 10_000;
const NULL: Value = { type: T.null, buf: Buffer.alloc(0), at: 0, end: 0 };

const isContainer = (node: Node | undefined): node is EditableDocument | EditableArray =>
  node instanceof EditableDocument || node instanceof EditableArray;

const opened = (node: Node | undefined): Node | undefined => {
  if (!node || isContainer(node)) return node;
  if (node.type === T.object) return EditableDocument.of(node);
  return node.type === T.array ? new EditableArray(valuesOf(node)) : node;
};

export const typeOfNode = (node: Node): number =>
  node instanceof EditableDocument ? T.object : node instanceof EditableArray ? T.array : node.type;

/** The array at a node, its items raw or edited; undefined where it is none. */
export const itemsOf = (node: Node): readonly Node[] | undefined => {
  const open = opened(node);
  return open instanceof EditableArray ? open.items : undefined;
};

/** One step of a path within an opened container. */
type Slot = Readonly<{
  value: Node | undefined;
  put: (node: Node) => void;
  remove: () => void;
}>;

const slotIn = (container: EditableDocument | EditableArray, part: string, path: string): Slot => {
  if (container instanceof EditableDocument) {
    return {
      value: container.fields.get(part),
      put: (node) => void container.fields.set(part, node),
      remove: () => void container.fields.delete(part),
    };
  }
  if (!/^(0|[1-9]\d*)$/.test(part)) {
    throw new CommandError(28, `Cannot create field '${part}' in element of '${path}': it is an array`);
  }
  const index = Number(part);
  const { items } = container;
  return {
    value: items[index],
    put: (node) => {
      if (index - items.length > ARRAY_PADDING_MAX)
        throw new CommandError(2, `can't backfill more than ${ARRAY_PADDING_MAX} elements`);
      while (items.length < index) items.push(NULL);
      items[index] = node;
    },
    // Taking an element away would move the others: it becomes null.
    remove: () => void (index < items.length && (items[index] = NULL)),
  };
};

/** Replaces what is at the path by what `change` makes of it, if anything; creates documents on the way. */
export const changeAt = (
  root: EditableDocument,
  parts: readonly string[],
  change: (value: Node | undefined) => Node | undefined,
): boolean => {
  const path = parts.join('.');
  const target = walk(root, parts, path);
  const slot = target && slotIn(target.container, target.part, path);
  const value = change(slot?.value);
  if (value === undefined || value === slot?.value) return false;
  if (slot) slot.put(value);
  else createPath(root, parts, path, value);
  return true;
};

/** Takes away what is at the path, if anything is. */
export const removeAt = (root: EditableDocument, parts: readonly string[]): void => {
  let container: Node | undefined = root;
  for (const [depth, part] of parts.entries()) {
    if (!isContainer(container)) return;
    if (container instanceof EditableArray && !/^\d+$/.test(part)) return;
    const slot = slotIn(container, part, parts.join('.'));
    if (slot.value === undefined) return;
    if (depth === parts.length - 1) return slot.remove();
    const next = opened(slot.value);
    if (next && next !== slot.value) slot.put(next);
    container = next;
  }
};

/** The container of the path's last step; undefined where some of the way is missing. */
const walk = (
  root: EditableDocument,
  parts: readonly string[],
  path: string,
): { container: EditableDocument | EditableArray; part: string } | undefined => {
  let container: EditableDocument | EditableArray = root;
  for (const [depth, part] of parts.entries()) {
    if (depth === parts.length - 1) return { container, part };
    const slot = slotIn(container, part, path);
    if (slot.value === undefined) return undefined;
    const next = opened(slot.value);
    if (!isContainer(next)) {
      throw new CommandError(
        28,
        `Cannot create field '${parts[depth + 1]}' in element {${part}: ${typeName(typeOfNode(slot.value))}}`,
      );
    }
    if (next !== slot.value) slot.put(next);
    container = next;
  }
  return undefined;
};

const createPath = (root: EditableDocument, parts: readonly string[], path: string, value: Node): void => {
  let container: EditableDocument | EditableArray = root;
  for (const [depth, part] of parts.entries()) {
    const slot = slotIn(container, part, path);
    if (depth === parts.length - 1) return slot.put(value);
    let next = opened(slot.value);
    if (!isContainer(next)) next = new EditableDocument(new Map());
    if (next !== slot.value) slot.put(next);
    container = next as EditableDocument | EditableArray;
  }
};

/** A node as a raw value. */
export const rawOfNode = (node: Node): Value => {
  if (!isContainer(node)) return node;
  const writer = new DocumentWriter(256);
  writeNode(writer, 'v', node);
  const buf = writer.take();
  return { type: typeOfNode(node), buf, at: 3, end: buf.length };
};

const writeNode = (writer: DocumentWriter, name: string, node: Node): void => {
  if (!isContainer(node)) return writer.value(name, node);
  const mark = writer.beginDocument(name, typeOfNode(node));
  if (node instanceof EditableDocument)
    for (const [field, value] of node.fields) writeNode(writer, field, value);
  else node.items.forEach((item, index) => writeNode(writer, String(index), item));
  writer.end(mark);
};

/** The document as BSON, `_id` first. */
export const bytesOfDocument = (document: EditableDocument, size: number): Buffer => {
  const writer = new DocumentWriter(size + 256);
  const mark = writer.begin();
  const id = document.fields.get('_id');
  if (id) writeNode(writer, '_id', id);
  for (const [name, node] of document.fields) if (name !== '_id') writeNode(writer, name, node);
  writer.end(mark);
  return writer.take();
};
