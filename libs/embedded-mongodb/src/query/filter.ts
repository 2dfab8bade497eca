import { badValue, CommandError, failedToParse, typeName, typeOfName } from '../command.error';
import { Path, pathOf } from '../bson/path';
import { entriesOf, isNumber, isText, numberOf, T, textOf, Value, valuesOf } from '../bson/raw-value';

/** One test of a field's value. */
export type Predicate =
  | Readonly<{ op: 'eq' | 'gt' | 'gte' | 'lt' | 'lte'; operand: Value }>
  | Readonly<{ op: 'in'; operands: readonly Value[]; patterns: readonly RegExp[] }>
  | Readonly<{ op: 'all'; parts: readonly Predicate[] }>
  | Readonly<{ op: 'not'; parts: readonly Predicate[] }>
  | Readonly<{ op: 'exists'; expected: boolean }>
  | Readonly<{ op: 'type'; types: ReadonlySet<number> }>
  | Readonly<{ op: 'size'; size: number }>
  | Readonly<{ op: 'mod'; divisor: number; remainder: number }>
  | Readonly<{ op: 'regex'; pattern: RegExp; prefix: string | undefined }>
  | Readonly<{ op: 'elementDocument'; filter: Filter }>
  | Readonly<{ op: 'elementValue'; parts: readonly Predicate[] }>;

/** A parsed query filter. */
export type Filter =
  | Readonly<{ kind: 'and' | 'or' | 'nor'; parts: readonly Filter[] }>
  | Readonly<{ kind: 'field'; path: Path; predicate: Predicate }>;

const DEPTH_MAX = 100;

/** Everything: the filter `{}`. */
export const MATCH_ALL: Filter = { kind: 'and', parts: [] };

/** Parses a filter document; refuses what is not on the list with the server's codes. */
export const parseFilter = (document: Value, depth = 0): Filter => {
  if (depth > DEPTH_MAX) throw badValue('exceeded depth limit when parsing query');
  const parts: Filter[] = [];
  for (const [name, value] of entriesOf(document)) {
    if (name.startsWith('$')) parts.push(...logical(name, value, depth));
    else {
      const path = pathOf(name);
      for (const predicate of predicatesOf(value, depth)) parts.push({ kind: 'field', path, predicate });
    }
  }
  return parts.length === 1 ? parts[0]! : { kind: 'and', parts };
};

const logical = (name: string, value: Value, depth: number): Filter[] => {
  switch (name) {
    case '$and':
    case '$or':
    case '$nor': {
      if (value.type !== T.array) throw badValue(`${name} must be an array`);
      const items = valuesOf(value);
      if (items.length === 0) throw badValue('$and/$or/$nor must be a nonempty array');
      const parts = items.map((item) => {
        if (item.type !== T.object) throw badValue('$or/$and/$nor entries need to be full objects');
        return parseFilter(item, depth + 1);
      });
      return [{ kind: name.slice(1) as 'and' | 'or' | 'nor', parts }];
    }
    case '$comment':
      return [];
    case '$expr':
    case '$text':
    case '$where':
    case '$jsonSchema':
      throw new CommandError(238, `${name} is not supported`);
    default:
      throw badValue(
        `unknown top level operator: ${name}. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.`,
      );
  }
};

const isOperatorDocument = (value: Value): boolean =>
  value.type === T.object && value.buf[value.at + 4] !== 0 && value.buf[value.at + 5] === 0x24;

const predicatesOf = (value: Value, depth: number): Predicate[] => {
  if (value.type === T.regex) return [regexOf(value)];
  if (!isOperatorDocument(value)) return [equality(value)];
  return operatorsOf(value, depth);
};

const equality = (operand: Value): Predicate => {
  if (operand.type === T.undefined) throw badValue('cannot compare to undefined');
  return { op: 'eq', operand };
};

const operatorsOf = (document: Value, depth: number): Predicate[] => {
  const entries = entriesOf(document);
  const options = entries.find(([name]) => name === '$options')?.[1];
  if (options && !entries.some(([name]) => name === '$regex')) throw badValue('$options needs a $regex');
  return entries.flatMap(([name, operand]) =>
    name === '$options' ? [] : [operatorOf(name, operand, depth, options)],
  );
};

const operatorOf = (name: string, operand: Value, depth: number, options: Value | undefined): Predicate => {
  switch (name) {
    case '$eq':
      return operand.type === T.regex ? { op: 'eq', operand } : equality(operand);
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      if (operand.type === T.regex) throw badValue("Can't have RegEx as arg to predicate over field.");
      if (operand.type === T.undefined) throw badValue('cannot compare to undefined');
      return { op: name.slice(1) as 'gt' | 'gte' | 'lt' | 'lte', operand };
    case '$ne':
      if (operand.type === T.regex) throw badValue("Can't have regex as arg to $ne.");
      return { op: 'not', parts: [equality(operand)] };
    case '$in':
      return membership(name, operand);
    case '$nin':
      return { op: 'not', parts: [membership(name, operand)] };
    case '$not':
      return negation(operand, depth);
    case '$exists':
      return { op: 'exists', expected: truthOf(operand) };
    case '$type':
      return { op: 'type', types: typesOf(operand) };
    case '$size':
      return { op: 'size', size: sizeOperand(operand) };
    case '$mod':
      return modulo(operand);
    case '$regex':
      return regexOf(operand, options);
    case '$all':
      return allOf(operand, depth);
    case '$elemMatch':
      return elementMatch(operand, depth);
    default:
      throw badValue(`unknown operator: ${name}`);
  }
};

const membership = (name: string, operand: Value): Predicate => {
  if (operand.type !== T.array) throw badValue(`${name} needs an array`);
  const operands: Value[] = [];
  const patterns: RegExp[] = [];
  for (const item of valuesOf(operand)) {
    if (isOperatorDocument(item)) throw badValue(`cannot nest $ under ${name}`);
    if (item.type === T.undefined) throw badValue('InMatchExpression equality cannot be undefined');
    if (item.type === T.regex) patterns.push(compileRegex(...regexParts(item)));
    else operands.push(item);
  }
  return { op: 'in', operands, patterns };
};

const negation = (operand: Value, depth: number): Predicate => {
  if (operand.type === T.regex) return { op: 'not', parts: [regexOf(operand)] };
  if (operand.type !== T.object) throw badValue('$not needs a regex or a document');
  if (operand.buf[operand.at + 4] === 0) throw badValue('$not cannot be empty');
  return { op: 'not', parts: operatorsOf(operand, depth + 1) };
};

/** Truth as in MongoDB: false, zero, null and missing are false. */
export const truthOf = (value: Value | undefined): boolean => {
  if (!value || value.type === T.null || value.type === T.undefined) return false;
  if (value.type === T.bool) return value.buf[value.at] !== 0;
  return !isNumber(value.type) || value.type === T.decimal || Number(numberOf(value)) !== 0;
};

const NUMBER_TYPES = [T.int, T.long, T.double, T.decimal];

const typesOf = (operand: Value): ReadonlySet<number> => {
  const items = operand.type === T.array ? valuesOf(operand) : [operand];
  if (items.length === 0) throw failedToParse('$type must match at least one type');
  return new Set(items.flatMap(typesNamed));
};

const typesNamed = (item: Value): number[] => {
  if (isText(item.type)) {
    const name = textOf(item);
    if (name === 'number') return NUMBER_TYPES;
    const type = typeOfName(name);
    if (type === undefined) throw badValue(`Unknown type name alias: ${name}`);
    return [type];
  }
  if (!isNumber(item.type) || item.type === T.decimal)
    throw new CommandError(14, 'type must be represented as a number or a string');
  const code = Number(numberOf(item));
  const type = code === -1 ? T.minKey : code;
  if (!Object.values(T).includes(type as never)) throw badValue(`Invalid numerical type code: ${code}`);
  return [type];
};

const sizeOperand = (operand: Value): number => {
  if (!isNumber(operand.type) || operand.type === T.decimal) {
    throw failedToParse(`Failed to parse $size. Expected a number in: $size: ${typeName(operand.type)}`);
  }
  const size = Number(numberOf(operand));
  if (!Number.isInteger(size)) throw failedToParse('Failed to parse $size. Expected an integer');
  if (size < 0) throw failedToParse('Failed to parse $size. Expected a non-negative number');
  return size;
};

const modulo = (operand: Value): Predicate => {
  const items = operand.type === T.array ? valuesOf(operand) : [];
  const [divisor, remainder] = items;
  if (!divisor || !remainder || items.length > 2 || !isNumber(divisor.type) || !isNumber(remainder.type)) {
    throw badValue('malformed mod, needs to be an array of two numbers');
  }
  const by = Math.trunc(Number(numberOf(divisor)));
  if (by === 0) throw badValue('divisor cannot be 0');
  return { op: 'mod', divisor: by, remainder: Math.trunc(Number(numberOf(remainder))) };
};

const regexParts = (value: Value): [string, string] => {
  const split = value.buf.indexOf(0, value.at);
  return [value.buf.toString('utf8', value.at, split), value.buf.toString('utf8', split + 1, value.end - 1)];
};

const PATTERN_LENGTH_MAX = 32_764;

/** Patterns run in JavaScript's engine; what PCRE knows beyond it is refused. */
const compileRegex = (source: string, options: string): RegExp => {
  if (source.length > PATTERN_LENGTH_MAX)
    throw new CommandError(51091, 'Regular expression is invalid: too long');
  if (/[^imsu]/.test(options)) throw new CommandError(51108, `invalid flag in regex options: ${options}`);
  try {
    return new RegExp(source, [...new Set(`${options}u`)].join(''));
  } catch {
    throw new CommandError(51091, `Regular expression is invalid: ${source}`);
  }
};

const regexOf = (operand: Value, options?: Value): Predicate => {
  if (operand.type !== T.regex && operand.type !== T.string) throw badValue('$regex has to be a string');
  if (options && options.type !== T.string) throw badValue('$options has to be a string');
  const [source, own] = operand.type === T.regex ? regexParts(operand) : [textOf(operand), ''];
  const flags = options ? textOf(options) : own;
  return {
    op: 'regex',
    pattern: compileRegex(source, flags),
    prefix: flags === '' ? prefixOf(source) : undefined,
  };
};

/** The literal start that every match of `^…` has, if there is one. */
const prefixOf = (source: string): string | undefined => {
  if (!source.startsWith('^') || source.includes('|')) return undefined;
  let prefix = '';
  let i = 1;
  while (i < source.length) {
    let char = source[i]!;
    if (char === '\\') {
      char = source[i + 1] ?? '';
      // An escaped letter or digit is a class or a reference, not itself.
      if (char === '' || /[A-Za-z0-9]/.test(char)) break;
      i += 1;
    } else if ('.[]()*+?{}^$'.includes(char)) break;
    const quantifier = source[i + 1] ?? '';
    if (quantifier !== '' && '*?{'.includes(quantifier)) break;
    prefix += char;
    i += 1;
    if (quantifier === '+') break;
  }
  // Half of a surrogate pair is no prefix of any UTF-8 text.
  return /[\uD800-\uDFFF]/.test(prefix) || prefix === '' ? undefined : prefix;
};

const allOf = (operand: Value, depth: number): Predicate => {
  if (operand.type !== T.array) throw badValue('$all needs an array');
  const items = valuesOf(operand);
  const parts = items.map((item): Predicate => {
    if (item.type === T.regex) return regexOf(item);
    if (!isOperatorDocument(item)) return equality(item);
    const [entry] = entriesOf(item);
    if (entry?.[0] !== '$elemMatch') throw badValue('no $ expressions in $all');
    return elementMatch(entry[1], depth);
  });
  return { op: 'all', parts };
};

const elementMatch = (operand: Value, depth: number): Predicate => {
  if (operand.type !== T.object) throw badValue('$elemMatch needs an Object');
  const [first] = entriesOf(operand);
  const name = first?.[0] ?? '';
  if (name.startsWith('$') && !['$and', '$or', '$nor'].includes(name)) {
    return { op: 'elementValue', parts: operatorsOf(operand, depth + 1) };
  }
  return { op: 'elementDocument', filter: parseFilter(operand, depth + 1) };
};

/** The top-level conjuncts that say what a field equals: what an upsert takes over into the new document. */
export const equalitiesOf = (filter: Filter): [Path, Value][] => {
  if (filter.kind === 'field') {
    const { predicate, path } = filter;
    if (predicate.op === 'eq') return [[path, predicate.operand]];
    if (predicate.op === 'in' && predicate.operands.length === 1 && predicate.patterns.length === 0) {
      return [[path, predicate.operands[0]!]];
    }
    if (predicate.op === 'all' && predicate.parts.length === 1 && predicate.parts[0]!.op === 'eq') {
      return [[path, predicate.parts[0]!.operand]];
    }
    return [];
  }
  if (filter.kind === 'and') return filter.parts.flatMap(equalitiesOf);
  return filter.kind === 'or' && filter.parts.length === 1 ? equalitiesOf(filter.parts[0]!) : [];
};
