import { Double, Int32, Long } from 'bson';
import { compareValues } from '../bson/compare';
import { rawOf } from '../bson/document-writer';
import { entriesOf, isNumber, isText, isTrue, numberOf, T, textOf, Value, valuesOf } from '../bson/raw-value';
import { badValue, CommandError, typeName } from '../command.error';
import { parseFilter } from '../query/filter';
import { compileFilter } from '../query/matcher';
import { DocumentWriter } from '../bson/document-writer';
import { EditableArray, itemsOf, Node, rawOfNode, typeOfNode } from './editable';

/** Makes a field's new value of its old one; undefined leaves the field as it is. */
export type Change = (old: Node | undefined) => Node | undefined;

/** Compiles one operator's operand for one field. `$unset` and `$setOnInsert` are the caller's. */
export const changeOf = (operator: string, path: string, operand: Value): Change => {
  switch (operator) {
    case '$set':
    case '$setOnInsert':
      return () => operand;
    case '$inc':
    case '$mul':
      return arithmetic(operator, path, operand);
    case '$min':
      return (old) => (!old || compareValues(operand, rawOfNode(old)) < 0 ? operand : undefined);
    case '$max':
      return (old) => (!old || compareValues(operand, rawOfNode(old)) > 0 ? operand : undefined);
    case '$push':
      return push(path, operand);
    case '$addToSet':
      return addToSet(path, operand);
    case '$pull':
      return pull(operand);
    case '$currentDate':
      return currentDate(operand);
    default:
      throw new CommandError(238, `update operator ${operator} is not supported`);
  }
};

const arithmetic = (operator: '$inc' | '$mul', path: string, operand: Value): Change => {
  const verb = operator === '$inc' ? 'increment' : 'multiply';
  if (!isNumber(operand.type))
    throw new CommandError(
      14,
      `Cannot ${verb} with non-numeric argument: {${path}: ${typeName(operand.type)}}`,
    );
  if (operand.type === T.decimal) throw new CommandError(238, 'arithmetic on Decimal128 is not supported');
  const zero = calculated('$mul', rawOf(new Int32(0))!, operand);
  return (old) => {
    if (!old) return operator === '$inc' ? operand : zero;
    const type = typeOfNode(old);
    if (!isNumber(type)) {
      throw new CommandError(
        14,
        `Cannot apply ${operator} to a value of non-numeric type. The field '${path}' is of type ${typeName(type)}`,
      );
    }
    if (type === T.decimal) throw new CommandError(238, 'arithmetic on Decimal128 is not supported');
    const [before, after] = [rawOfNode(old), calculated(operator, rawOfNode(old), operand)];
    // To 0 from -0 is no change, as on a real server.
    return before.type === after.type && numberOf(before) === numberOf(after) ? undefined : after;
  };
};

const calculated = (operator: '$inc' | '$mul', left: Value, right: Value): Value => {
  const [a, b] = [numberOf(left), numberOf(right)];
  if (left.type === T.double || right.type === T.double) {
    return rawOf(new Double(operator === '$inc' ? Number(a) + Number(b) : Number(a) * Number(b)))!;
  }
  const result = operator === '$inc' ? BigInt(a) + BigInt(b) : BigInt(a) * BigInt(b);
  if (left.type === T.int && right.type === T.int && BigInt.asIntN(32, result) === result)
    return rawOf(new Int32(Number(result)))!;
  if (BigInt.asIntN(64, result) !== result) {
    throw badValue(
      `Failed to apply ${operator} operations to current value: the result does not fit in 64 bits`,
    );
  }
  return rawOf(Long.fromBigInt(result))!;
};

const arrayAt = (old: Node, operator: string, path: string): readonly Node[] => {
  const items = itemsOf(old);
  if (items) return items;
  throw badValue(
    operator === '$pull'
      ? 'Cannot apply $pull to a non-array value'
      : `The field '${path}' must be an array but is of type ${typeName(typeOfNode(old))}`,
  );
};

const eachOf = (operand: Value): Map<string, Value> | undefined => {
  if (operand.type !== T.object) return undefined;
  const entries = new Map(entriesOf(operand));
  return entries.has('$each') ? entries : undefined;
};

const eachItems = (operator: string, each: Value): Value[] => {
  if (each.type === T.array) return valuesOf(each);
  throw operator === '$push'
    ? badValue(`The argument to $each in $push must be an array but it was of type: ${typeName(each.type)}`)
    : new CommandError(14, 'The argument to $each in $addToSet must be an array');
};

const push = (path: string, operand: Value): Change => {
  const options = eachOf(operand);
  const added = options ? eachItems('$push', options.get('$each')!) : [operand];
  let slice: number | undefined;
  for (const [name, value] of options ?? []) {
    if (name === '$each') continue;
    if (name !== '$slice') {
      throw ['$sort', '$position'].includes(name)
        ? new CommandError(238, `${name} in $push is not supported`)
        : badValue(`Unrecognized clause in $push: ${name}`);
    }
    if (!isNumber(value.type) || value.type === T.decimal || !Number.isInteger(Number(numberOf(value)))) {
      throw badValue('The value for $slice must be an integer value');
    }
    slice = Number(numberOf(value));
  }
  return (old) => {
    const items = [...(old ? arrayAt(old, '$push', path) : []), ...added];
    if (slice === undefined) return old && added.length === 0 ? undefined : new EditableArray(items);
    return new EditableArray(slice === 0 ? [] : slice < 0 ? items.slice(slice) : items.slice(0, slice));
  };
};

const addToSet = (path: string, operand: Value): Change => {
  const options = eachOf(operand);
  const candidates = options ? eachItems('$addToSet', options.get('$each')!) : [operand];
  return (old) => {
    const before = old ? arrayAt(old, '$addToSet', path) : [];
    const items = [...before];
    const has = (value: Value) => items.some((item) => compareValues(rawOfNode(item), value) === 0);
    for (const candidate of candidates) if (!has(candidate)) items.push(candidate);
    return old && items.length === before.length ? undefined : new EditableArray(items);
  };
};

/** The condition as a filter on a field `v`, whether it is a value, operators or a document of conditions. */
const pull = (operand: Value): Change => {
  const matches = elementMatcher(operand);
  return (old) => {
    if (!old) return undefined;
    const items = arrayAt(old, '$pull', '');
    const rest = items.filter((item) => !matches(rawOfNode(item)));
    return rest.length === items.length ? undefined : new EditableArray(rest);
  };
};

const elementMatcher = (operand: Value): ((item: Value) => boolean) => {
  const hasOperators = operand.type === T.object && entriesOf(operand)[0]?.[0].startsWith('$');
  if (operand.type === T.object && !hasOperators) {
    const matches = compileFilter(parseFilter(operand));
    return (item) => item.type === T.object && matches(item.buf, item.at);
  }
  if (operand.type !== T.regex && !hasOperators) return (item) => compareValues(item, operand) === 0;
  const filter = parseFilter(wrapped(operand));
  const matches = compileFilter(filter);
  return (item) => {
    const document = wrapped(item);
    return matches(document.buf, 0);
  };
};

const wrapped = (value: Value): Value => {
  const writer = new DocumentWriter(value.end - value.at + 16);
  const mark = writer.begin();
  writer.value('v', value);
  writer.end(mark);
  const buf = writer.take();
  return { type: T.object, buf, at: 0, end: buf.length };
};

const currentDate = (operand: Value): Change => {
  if (operand.type === T.object) {
    const [entry, ...more] = entriesOf(operand);
    if (entry?.[0] !== '$type' || more.length > 0 || !isText(entry[1].type))
      throw badValue('Unrecognized $currentDate option');
    if (textOf(entry[1]) !== 'date')
      throw new CommandError(238, 'a $currentDate other than date is not supported');
  } else if (operand.type !== T.bool || !isTrue(operand)) {
    if (operand.type !== T.bool)
      throw badValue(`${typeName(operand.type)} is not valid type for $currentDate.`);
  }
  return () => rawOf(new Date())!;
};
