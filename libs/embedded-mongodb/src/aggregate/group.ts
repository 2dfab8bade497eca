import { Double } from 'bson';
import { compareValues } from '../bson/compare';
import { DocumentWriter, rawOf } from '../bson/document-writer';
import { identityOf, KeyWriter } from '../bson/key-encoding';
import { entriesOf, isNumber, T, Value } from '../bson/raw-value';
import { CommandError } from '../command.error';
import { arrayValue, compileExpression, Expression, isNullish, Sum } from './expression';

/** Bytes all groups of one stage may hold, as in MongoDB. */
const GROUP_BYTES_MAX = 100 * 1024 * 1024;
const GROUP_OVERHEAD_BYTES = 200;

/** Gathers one output field of one group. `add` returns how many bytes more it holds. */
type Accumulator = { add(value: Value | undefined): number; result(): Value | undefined };

const NULL: Value = { type: T.null, buf: Buffer.alloc(0), at: 0, end: 0 };

/** Copied, so that a kept value does not keep its whole document. */
const kept = (value: Value): Value => {
  const buf = Buffer.from(value.buf.subarray(value.at, value.end));
  return { type: value.type, buf, at: 0, end: buf.length };
};

const sizeOf = (value: Value): number => value.end - value.at + 64;

const extreme = (sign: 1 | -1): Accumulator => {
  let best: Value | undefined;
  return {
    add: (value) => {
      if (!value || value.type === T.null || value.type === T.undefined) return 0;
      // Of equal numbers of different types, the last is the greatest and the first the least, as on a real server.
      const order = best ? compareValues(value, best) * sign : 1;
      if (order < 0 || (order === 0 && sign < 0)) return 0;
      const before = best ? sizeOf(best) : 0;
      best = kept(value);
      return sizeOf(best) - before;
    },
    result: () => best ?? NULL,
  };
};

const ACCUMULATORS: Readonly<Record<string, () => Accumulator>> = {
  $sum: () => {
    const sum = new Sum();
    return { add: (value) => (sum.add(value), 0), result: () => sum.value };
  },
  $avg: () => {
    const sum = new Sum();
    let count = 0;
    return {
      add: (value) => {
        if (value && isNumber(value.type)) count += 1;
        sum.add(value);
        return 0;
      },
      result: () => (count === 0 ? NULL : rawOf(new Double(sum.asNumber / count))),
    };
  },
  $min: () => extreme(-1),
  $max: () => extreme(1),
  $first: () => {
    let first: Value | undefined;
    return { add: (value) => (first ? 0 : sizeOf((first = kept(value ?? NULL)))), result: () => first };
  },
  $last: () => {
    let last: Value | undefined;
    return {
      add: (value) => {
        const before = last ? sizeOf(last) : 0;
        last = kept(value ?? NULL);
        return sizeOf(last) - before;
      },
      result: () => last,
    };
  },
  $push: () => {
    const values: Value[] = [];
    return {
      add: (value) => (value ? (values.push(kept(value)), sizeOf(value)) : 0),
      result: () => arrayValue(values),
    };
  },
  $addToSet: () => {
    const values = new Map<string, Value>();
    return {
      add: (value) => {
        const identity = identityOf(value);
        if (!value || values.has(identity)) return 0;
        values.set(identity, kept(value));
        return sizeOf(value) + identity.length;
      },
      result: () => arrayValue([...values.values()]),
    };
  },
};

type Field = Readonly<{ name: string; make: () => Accumulator; argument: Expression }>;
type Group = Readonly<{ id: Value | undefined; accumulators: readonly Accumulator[] }>;

/** `$group`: documents go in one by one, groups come out in the order in which they were met. */
export class Grouping {
  private readonly id: Expression;
  private readonly fields: readonly Field[];
  private readonly groups = new Map<string, Group>();
  private bytes = 0;

  constructor(spec: Value) {
    if (spec.type !== T.object)
      throw new CommandError(15947, "a group's fields must be specified in an object");
    const entries = entriesOf(spec);
    const id = entries.find(([name]) => name === '_id')?.[1];
    if (!id) throw new CommandError(15955, 'a group specification must include an _id');
    this.id = compileExpression(id);
    this.fields = entries.filter(([name]) => name !== '_id').map(([name, value]) => fieldOf(name, value));
  }

  add(document: Buffer): void {
    const identity = this.identityOf(document);
    let group = this.groups.get(identity);
    if (!group) {
      const id = this.id.evaluate(document);
      group = { id: id && kept(id), accumulators: this.fields.map((field) => field.make()) };
      this.groups.set(identity, group);
      this.bytes += GROUP_OVERHEAD_BYTES * (1 + this.fields.length) + identity.length;
    }
    for (let i = 0; i < this.fields.length; i += 1) {
      this.bytes += group.accumulators[i]!.add(this.fields[i]!.argument.evaluate(document));
    }
    if (this.bytes > GROUP_BYTES_MAX)
      throw new CommandError(292, 'Exceeded memory limit for $group, but did not allow external sort.');
  }

  /** The same for documents of one group. Of a document of expressions, it is not built for each one. */
  private identityOf(document: Buffer): string {
    WRITER.reset();
    if (this.id.fields) for (const [, field] of this.id.fields) WRITER.optional(field.evaluate(document));
    else {
      // Missing and null are one group.
      const id = this.id.evaluate(document);
      if (!isNullish(id)) WRITER.value(id!);
    }
    return WRITER.text;
  }

  results(): Buffer[] {
    return [...this.groups.values()].map(({ id, accumulators }) => {
      const writer = new DocumentWriter(256);
      const mark = writer.begin();
      writer.value('_id', id ?? NULL);
      this.fields.forEach(({ name }, i) => {
        const value = accumulators[i]!.result();
        if (value) writer.value(name, value);
      });
      writer.end(mark);
      return writer.take();
    });
  }
}

const WRITER = new KeyWriter();

const ONE = rawOf(1)!;

const fieldOf = (name: string, value: Value): Field => {
  if (name.includes('.')) throw new CommandError(40235, `The field name '${name}' cannot contain '.'`);
  if (name.startsWith('$'))
    throw new CommandError(40236, `The field name '${name}' cannot be an operator name`);
  const entries = value.type === T.object ? entriesOf(value) : [];
  const [first] = entries;
  if (!first?.[0].startsWith('$'))
    throw new CommandError(40234, `The field '${name}' must be an accumulator object`);
  if (entries.length > 1) throw new CommandError(40238, `The field '${name}' must specify one accumulator`);
  const [operator, argument] = first;
  if (operator === '$count') {
    if (argument.type !== T.object || entriesOf(argument).length > 0)
      throw new CommandError(9, '$count takes no arguments, i.e. $count:{}');
    return { name, make: ACCUMULATORS['$sum']!, argument: { evaluate: () => ONE } };
  }
  const make = Object.hasOwn(ACCUMULATORS, operator) ? ACCUMULATORS[operator] : undefined;
  if (!make) throw new CommandError(15952, `unknown group operator '${operator}'`);
  if (argument.type === T.array)
    throw new CommandError(40237, `The ${operator} accumulator is a unary operator`);
  return { name, make, argument: compileExpression(argument) };
};
