import { deserialize, Document, Double, Int32, Long } from 'bson';
import { Context, evalExpr } from 'mingo/core';
import * as operators from 'mingo/operators/expression';
import { compareValues } from '../bson/compare';
import { DocumentWriter, rawOf } from '../bson/document-writer';
import { Path, pathOf } from '../bson/path';
import {
  asValue,
  bytesOf,
  ElementCursor,
  entriesOf,
  fieldOf,
  isNumber,
  isText,
  T,
  textOf,
  Value,
  valuesOf,
} from '../bson/raw-value';
import { CommandError } from '../command.error';
import { truthOf } from '../query/filter';

/** Computes a value from a document; undefined where the result is missing. */
export type Expression = Readonly<{
  evaluate: (document: Buffer) => Value | undefined;
  /** Set for a document of expressions. */
  fields?: readonly (readonly [string, Expression])[];
}>;

const DEPTH_MAX = 100;

const UNDEFINED: Value = { type: T.undefined, buf: Buffer.alloc(0), at: 0, end: 0 };
export const boolValue = (value: boolean): Value => ({
  type: T.bool,
  buf: Buffer.from([Number(value)]),
  at: 0,
  end: 1,
});

/** Operators that are left to mingo, on values decoded to JavaScript. */
const ENGINE_OPERATORS: ReadonlySet<string> = new Set([
  '$abs',
  '$add',
  '$ceil',
  '$divide',
  '$floor',
  '$mod',
  '$multiply',
  '$round',
  '$subtract',
  '$trunc',
  '$concat',
  '$toLower',
  '$toUpper',
  '$strLenCP',
  '$substrCP',
  '$split',
  '$trim',
  '$arrayElemAt',
  '$concatArrays',
  '$size',
  '$slice',
  '$isArray',
  '$filter',
  '$map',
  '$reduce',
  '$in',
  '$max',
  '$min',
  '$sum',
  '$avg',
  '$year',
  '$month',
  '$dayOfMonth',
  '$hour',
  '$dateToString',
  '$dateTrunc',
  '$dateDiff',
  '$dateAdd',
  '$toString',
  '$toInt',
  '$toDouble',
  '$toDate',
  '$type',
  '$mergeObjects',
  '$objectToArray',
  '$arrayToObject',
  '$setUnion',
  '$setIntersection',
  '$first',
  '$last',
]);

const CONTEXT = Context.init({ expression: { ...operators } as never });

/** Compiles an aggregation expression. Unknown operators get the server's code, known ones off the list too. */
export const compileExpression = (source: Value, depth = 0): Expression => {
  if (depth > DEPTH_MAX) throw new CommandError(15, 'expression is nested too deeply');
  if (isText(source.type)) {
    const text = textOf(source);
    if (text.startsWith('$$')) return variable(text);
    if (text.startsWith('$')) return fieldPath(text.slice(1));
  }
  if (source.type === T.array)
    return arrayOf(valuesOf(source).map((item) => compileExpression(item, depth + 1)));
  if (source.type !== T.object) return constant(source);
  const entries = entriesOf(source);
  const [first] = entries;
  if (first?.[0].startsWith('$')) {
    if (entries.length > 1) {
      throw new CommandError(15983, `An object representing an expression must have exactly one field`);
    }
    return operator(first[0], first[1], source, depth);
  }
  return objectOf(entries.map(([name, value]) => [name, compileExpression(value, depth + 1)]));
};

const constant = (value: Value): Expression => ({ evaluate: () => value });

const variable = (text: string): Expression => {
  if (text === '$$ROOT' || text === '$$CURRENT') return { evaluate: asValue };
  if (text === '$$REMOVE') return { evaluate: () => undefined };
  if (text.startsWith('$$ROOT.') || text.startsWith('$$CURRENT.'))
    return fieldPath(text.slice(text.indexOf('.') + 1));
  throw new CommandError(17276, `Use of undefined variable: ${text.slice(2)}`);
};

const fieldPath = (text: string): Expression => {
  if (text === '' || text.split('.').includes('')) {
    throw new CommandError(text === '' ? 16872 : 40353, `'$${text}' by itself is not a valid FieldPath`);
  }
  const path = pathOf(text);
  return { evaluate: (document) => valueAt(document, 0, path, 0) };
};

/** A field path's value: over an array on the way, the array of what its documents have. */
const valueAt = (buf: Buffer, at: number, path: Path, step: number): Value | undefined => {
  const value = fieldOf(buf, at, path.names[step]!);
  if (!value || step === path.names.length - 1) return value;
  if (value.type === T.object) return valueAt(value.buf, value.at, path, step + 1);
  return value.type === T.array ? mapped(value, path, step + 1) : undefined;
};

const mapped = (array: Value, path: Path, step: number): Value => {
  const found: Value[] = [];
  const cursor = new ElementCursor(array.buf, array.at);
  while (cursor.next()) {
    // Arrays within arrays are not followed.
    const value = cursor.type === T.object ? valueAt(cursor.buf, cursor.at, path, step) : undefined;
    if (value) found.push(value);
  }
  return arrayValue(found);
};

export const arrayValue = (items: readonly Value[]): Value => {
  const writer = new DocumentWriter(64);
  const mark = writer.begin();
  items.forEach((item, index) => writer.item(index, item));
  writer.end(mark);
  const buf = writer.take();
  return { type: T.array, buf, at: 0, end: buf.length };
};

const arrayOf = (items: readonly Expression[]): Expression => ({
  evaluate: (document) =>
    arrayValue(
      items.map((item) => item.evaluate(document) ?? { type: T.null, buf: document, at: 0, end: 0 }),
    ),
});

const objectOf = (fields: readonly (readonly [string, Expression])[]): Expression => ({
  fields,
  evaluate: (document) => {
    const writer = new DocumentWriter(128);
    const mark = writer.begin();
    for (const [name, field] of fields) {
      const value = field.evaluate(document);
      if (value) writer.value(name, value);
    }
    writer.end(mark);
    return asValue(writer.take());
  },
});

type Comparison = (order: number) => boolean;
const COMPARISONS: Readonly<Record<string, Comparison>> = {
  $eq: (order) => order === 0,
  $ne: (order) => order !== 0,
  $gt: (order) => order > 0,
  $gte: (order) => order >= 0,
  $lt: (order) => order < 0,
  $lte: (order) => order <= 0,
};

export const isNullish = (value: Value | undefined): boolean =>
  !value || value.type === T.null || value.type === T.undefined;

const operator = (name: string, operand: Value, source: Value, depth: number): Expression => {
  const parts = () =>
    (operand.type === T.array ? valuesOf(operand) : [operand]).map((item) =>
      compileExpression(item, depth + 1),
    );
  const comparison = COMPARISONS[name];
  if (comparison) {
    const [left, right, ...more] = parts();
    if (!left || !right || more.length > 0) {
      throw new CommandError(
        16020,
        `Expression ${name} takes exactly 2 arguments. ${parts().length} were passed in.`,
      );
    }
    return {
      evaluate: (document) =>
        boolValue(
          comparison(
            compareValues(left.evaluate(document) ?? UNDEFINED, right.evaluate(document) ?? UNDEFINED),
          ),
        ),
    };
  }
  switch (name) {
    case '$literal':
      return constant(operand);
    case '$and': {
      const all = parts();
      return { evaluate: (document) => boolValue(all.every((part) => truthOf(part.evaluate(document)))) };
    }
    case '$or': {
      const any = parts();
      return { evaluate: (document) => boolValue(any.some((part) => truthOf(part.evaluate(document)))) };
    }
    case '$not': {
      const [part] = parts();
      if (!part)
        throw new CommandError(16020, 'Expression $not takes exactly 1 arguments. 0 were passed in.');
      return { evaluate: (document) => boolValue(!truthOf(part.evaluate(document))) };
    }
    case '$ifNull': {
      const choices = parts();
      if (choices.length < 2) throw new CommandError(1257300, '$ifNull needs at least two arguments, had: 1');
      return {
        evaluate: (document) => {
          let value: Value | undefined;
          for (const choice of choices) {
            value = choice.evaluate(document);
            if (!isNullish(value)) return value;
          }
          return value;
        },
      };
    }
    case '$cond':
      return conditional(operand, depth);
    case '$switch':
      return choice(operand, depth);
    default:
      return engine(name, source);
  }
};

const conditional = (operand: Value, depth: number): Expression => {
  const fields = operand.type === T.object ? new Map(entriesOf(operand)) : undefined;
  const sources = fields
    ? [fields.get('if'), fields.get('then'), fields.get('else')]
    : operand.type === T.array
      ? valuesOf(operand)
      : [];
  if (sources.length !== 3 || (fields && fields.size > 3)) {
    throw new CommandError(
      16020,
      `Expression $cond takes exactly 3 arguments. ${sources.length} were passed in.`,
    );
  }
  const [test, yes, no] = sources.map((item) => {
    if (!item) throw new CommandError(17080, 'Missing a parameter to $cond');
    return compileExpression(item, depth + 1);
  });
  return { evaluate: (document) => (truthOf(test!.evaluate(document)) ? yes! : no!).evaluate(document) };
};

const choice = (operand: Value, depth: number): Expression => {
  if (operand.type !== T.object) throw new CommandError(40060, '$switch requires an object as an argument');
  const fields = new Map(entriesOf(operand));
  const branches = fields.get('branches');
  if (branches?.type !== T.array || valuesOf(branches).length === 0) {
    throw new CommandError(40068, '$switch requires at least one branch.');
  }
  const cases = valuesOf(branches).map((branch) => {
    const parts = new Map(branch.type === T.object ? entriesOf(branch) : []);
    const [when, then] = [parts.get('case'), parts.get('then')];
    if (!when || !then)
      throw new CommandError(40067, '$switch requires each branch to have a case and a then expression');
    return [compileExpression(when, depth + 1), compileExpression(then, depth + 1)] as const;
  });
  const fallback = fields.get('default');
  const otherwise = fallback && compileExpression(fallback, depth + 1);
  return {
    evaluate: (document) => {
      const hit = cases.find(([when]) => truthOf(when.evaluate(document)));
      if (hit) return hit[1].evaluate(document);
      if (!otherwise)
        throw new CommandError(
          40066,
          '$switch could not find a matching branch for an input, and no default was specified.',
        );
      return otherwise.evaluate(document);
    },
  };
};

const decoded = new WeakMap<Buffer, Document>();

/** The document as JavaScript values, decoded once. */
const decode = (document: Buffer): Document => {
  let found = decoded.get(document);
  if (!found) {
    found = deserialize(document, { promoteBuffers: true });
    decoded.set(document, found);
  }
  return found;
};

const engine = (name: string, source: Value): Expression => {
  checkOperators(source);
  const expression = deserialize(bytesOf(source)) as object;
  return {
    evaluate: (document) => {
      try {
        return rawOf(
          evalExpr(decode(document), expression, { context: CONTEXT, failOnError: true } as never),
        );
      } catch (error) {
        throw new CommandError(16020, `Failed to evaluate ${name}: ${(error as Error).message}`);
      }
    },
  };
};

const checkOperators = (source: Value): void => {
  for (const [name, value] of entriesOf(source)) {
    if (name.startsWith('$') && !ENGINE_OPERATORS.has(name) && !OWN_OPERATORS.has(name)) {
      throw new CommandError(168, `Unrecognized expression '${name}'`);
    }
    if (value.type === T.object || value.type === T.array) checkOperators(value);
  }
};

const OWN_OPERATORS: ReadonlySet<string> = new Set([
  ...Object.keys(COMPARISONS),
  '$literal',
  '$and',
  '$or',
  '$not',
  '$ifNull',
  '$cond',
  '$switch',
]);

/** A sum that keeps MongoDB's types: int while it fits, then long, then double. */
export class Sum {
  private whole = 0n;
  private small = 0;
  private fraction = 0;
  private compensation = 0;
  private type: number = T.int;

  add(value: Value | undefined): void {
    if (!value || !isNumber(value.type)) return;
    if (value.type === T.decimal) throw new CommandError(238, 'sums of Decimal128 values are not supported');
    if (value.type === T.int) {
      this.small += value.buf.readInt32LE(value.at);
      // Stays exact: far below 2^53 between two transfers.
      if (this.small > 2 ** 50 || this.small < -(2 ** 50)) this.carry();
      return;
    }
    if (value.type === T.long) {
      this.whole += value.buf.readBigInt64LE(value.at);
      if (this.type === T.int) this.type = T.long;
      return;
    }
    this.type = T.double;
    this.addDouble(value.buf.readDoubleLE(value.at));
  }

  /** Neumaier's sum: the error of each step is kept apart. */
  private addDouble(value: number): void {
    const sum = this.fraction + value;
    this.compensation +=
      Math.abs(this.fraction) >= Math.abs(value) ? this.fraction - sum + value : value - sum + this.fraction;
    this.fraction = sum;
  }

  private carry(): void {
    this.whole += BigInt(this.small);
    this.small = 0;
  }

  get asNumber(): number {
    this.carry();
    const wholes = Number(this.whole);
    const rest = Number.isFinite(this.fraction) ? this.fraction + this.compensation : this.fraction;
    return wholes + rest;
  }

  get value(): Value {
    this.carry();
    if (this.type === T.double) return rawOf(new Double(this.asNumber))!;
    if (this.whole >= -(2n ** 63n) && this.whole < 2n ** 63n) {
      if (this.type === T.int && this.whole >= -(2n ** 31n) && this.whole < 2n ** 31n)
        return rawOf(new Int32(Number(this.whole)))!;
      return rawOf(Long.fromBigInt(this.whole))!;
    }
    return rawOf(new Double(Number(this.whole)))!;
  }
}
