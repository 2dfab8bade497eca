import { Binary, Document, Double, Int32, Long, ObjectId } from 'mongodb';
import fc from 'fast-check';

/** One operation on a collection, the same for every server. */
export type Operation =
  | Readonly<{ kind: 'insert'; documents: Document[]; ordered: boolean }>
  | Readonly<{ kind: 'update'; filter: Document; update: Document; many: boolean; upsert: boolean }>
  | Readonly<{ kind: 'replace'; filter: Document; replacement: Document; upsert: boolean }>
  | Readonly<{ kind: 'delete'; filter: Document; many: boolean }>
  | Readonly<{
      kind: 'find';
      filter: Document;
      sort: [string, 1 | -1][];
      projection: Document;
      skip: number;
      limit: number;
      batchSize: number;
    }>
  | Readonly<{
      kind: 'modify';
      filter: Document;
      update: Document;
      sort: [string, 1 | -1][];
      upsert: boolean;
      after: boolean;
    }>
  | Readonly<{ kind: 'count'; filter: Document }>
  | Readonly<{ kind: 'distinct'; field: string; filter: Document }>
  | Readonly<{ kind: 'aggregate'; pipeline: Document[] }>
  | Readonly<{ kind: 'index'; key: [string, 1 | -1][]; unique: boolean; sparse: boolean }>;

const OBJECT_IDS = ['64b000000000000000000001', '64b000000000000000000002'].map((hex) => new ObjectId(hex));

const number = fc.oneof(
  fc.integer({ min: -2, max: 3 }).map((value) => new Int32(value)),
  fc
    .constantFrom(-0, 0, 0.5, 1, 2, -1.5, NaN, Infinity, -Infinity, 9007199254740992, 1e300)
    .map((value) => new Double(value)),
  fc
    .constantFrom(
      '0',
      '1',
      '2',
      '-2',
      '9007199254740992',
      '9007199254740993',
      '-9007199254740993',
      '9223372036854775807',
    )
    .map((text) => Long.fromString(text)),
);

const scalar = fc.oneof(
  { weight: 5, arbitrary: number },
  { weight: 3, arbitrary: fc.constantFrom('', 'a', 'b', 'ab', 'abc', 'é', '\u{1F600}', 'a\0b') },
  { weight: 2, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.boolean() },
  { weight: 1, arbitrary: fc.constantFrom(-1, 0, 1, 1e12).map((time) => new Date(time)) },
  { weight: 1, arbitrary: fc.constantFrom(...OBJECT_IDS) },
  { weight: 1, arbitrary: fc.constantFrom('', 'x', 'yz').map((text) => new Binary(Buffer.from(text))) },
);

const nested = fc.dictionary(fc.constantFrom('d', 'e', '0'), scalar, { maxKeys: 2 });
const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 2, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.array(fc.oneof(nested, scalar), { maxLength: 3 }) },
  { weight: 1, arbitrary: nested },
);

const id = fc.integer({ min: 0, max: 12 }).map((number) => new Int32(number));
const fields = fc.record(
  { a: value, b: value, c: fc.oneof(nested, fc.array(nested, { maxLength: 3 }), scalar), u: scalar },
  { requiredKeys: [] },
);
const document = fc.tuple(id, fields).map(([_id, rest]): Document => ({ _id, ...rest }));

const path = fc.constantFrom('a', 'a', 'b', 'c.d', 'c.e', 'c', 'c.0', 'c.0.d', 'missing');
const operand = fc.oneof({ weight: 5, arbitrary: scalar }, { weight: 1, arbitrary: value });

const test: fc.Arbitrary<Document> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom('$eq', '$gt', '$gte', '$lt', '$lte', '$ne'), operand)
      .map(([op, by]) => ({ [op]: by })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('$in', '$nin'), fc.array(operand, { maxLength: 3 }))
      .map(([op, by]) => ({ [op]: by })),
  },
  { weight: 1, arbitrary: fc.tuple(operand, operand).map(([low, high]) => ({ $gte: low, $lt: high })) },
  { weight: 1, arbitrary: fc.boolean().map((expected) => ({ $exists: expected })) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('number', 'string', 'array', 'object', 'null', 'double', 10, 16)
      .map((type) => ({ $type: type })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(scalar, scalar).map(([low, high]) => ({ $elemMatch: { $gte: low, $lte: high } })),
  },
  { weight: 1, arbitrary: fc.tuple(scalar).map(([by]) => ({ $elemMatch: { d: by } })) },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 2 }).map((all) => ({ $all: all })) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 }).map((size) => ({ $size: size })) },
  { weight: 1, arbitrary: fc.constantFrom('^a', '^ab', 'b', '^').map((pattern) => ({ $regex: pattern })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('$gt', '$lte', '$eq'), scalar)
      .map(([op, by]) => ({ $not: { [op]: by } })),
  },
);

const field: fc.Arbitrary<Document> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(path, test).map(([at, by]) => ({ [at]: by })) },
  { weight: 2, arbitrary: fc.tuple(path, operand).map(([at, by]) => ({ [at]: by })) },
  { weight: 1, arbitrary: id.map((_id) => ({ _id })) },
);

export const filter: fc.Arbitrary<Document> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({}) },
  { weight: 5, arbitrary: field },
  { weight: 2, arbitrary: fc.array(field, { minLength: 1, maxLength: 3 }).map((all) => ({ $and: all })) },
  { weight: 2, arbitrary: fc.array(field, { minLength: 1, maxLength: 3 }).map((any) => ({ $or: any })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(field, fc.array(field, { minLength: 1, maxLength: 2 }))
      .map(([all, any]) => ({ ...all, $or: any })),
  },
  { weight: 1, arbitrary: fc.array(field, { minLength: 1, maxLength: 2 }).map((none) => ({ $nor: none })) },
);

const direction = fc.constantFrom(1 as const, -1 as const);
const order: fc.Arbitrary<[string, 1 | -1][]> = fc
  .tuple(
    fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c.d'), direction), {
      maxLength: 2,
      selector: ([at]) => at,
    }),
    direction,
  )
  // Ties are in no set order: the id settles them.
  .map(([sort, last]) => [...sort, ['_id', last]]);

const updatePath = fc.constantFrom('a', 'b', 'c.d', 'c.0', 'c.1.e', 'n', 'n.x');
const change = fc.oneof(
  fc
    .tuple(fc.constantFrom('$set', '$min', '$max', '$setOnInsert'), updatePath, value)
    .map(([op, at, by]): Document => ({ [op]: { [at]: by } })),
  fc
    .tuple(fc.constantFrom('$inc', '$mul'), updatePath, number)
    .map(([op, at, by]): Document => ({ [op]: { [at]: by } })),
  fc
    .tuple(fc.constantFrom('$push', '$addToSet', '$pull'), updatePath, scalar)
    .map(([op, at, by]): Document => ({ [op]: { [at]: by } })),
  fc
    .tuple(fc.constantFrom('$push', '$addToSet'), updatePath, fc.array(scalar, { maxLength: 3 }))
    .map(([op, at, by]): Document => ({ [op]: { [at]: { $each: by } } })),
  fc
    .tuple(updatePath, fc.constantFrom('$gt', '$lte'), scalar)
    .map(([at, op, by]): Document => ({ $pull: { [at]: { [op]: by } } })),
  updatePath.map((at): Document => ({ $unset: { [at]: '' } })),
);
const update = fc.array(change, { minLength: 1, maxLength: 2 }).map((changes) => {
  const merged: Document = {};
  for (const each of changes)
    for (const [op, by] of Object.entries(each)) merged[op] = { ...merged[op], ...by };
  return merged;
});

const projection = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Document>(
      { a: 1 },
      { a: 0 },
      { _id: 0, b: 1 },
      { _id: 0 },
      { 'c.d': 1, a: 1 },
      { 'c.d': 0 },
      { c: { e: 1 } },
      { a: 1, b: 0 },
    ),
  },
);

const accumulator = fc.constantFrom<Document>(
  { $sum: 1 },
  { $sum: '$a' },
  { $min: '$a' },
  { $max: '$b' },
  { $avg: '$a' },
  { $first: '$b' },
  { $last: '$a' },
  { $push: '$c.d' },
  { $count: {} },
);
const groupId = fc.constantFrom<unknown>(null, '$a', '$b', '$c.d', { x: '$a', y: '$b' });
const stage: fc.Arbitrary<Document> = fc.oneof(
  filter.map(($match) => ({ $match })),
  fc.integer({ min: 1, max: 8 }).map(($limit) => ({ $limit })),
  fc.integer({ min: 0, max: 4 }).map(($skip) => ({ $skip })),
  fc.constantFrom<Document>(
    { $project: { a: 1, 'c.d': 1 } },
    { $project: { b: 0 } },
    { $project: { _id: 1, x: '$c.d', y: '$a' } },
    { $addFields: { x: '$c.d', 'b.z': { $ifNull: ['$a', 'none'] } } },
  ),
  fc.constantFrom<Document>(
    { $unwind: '$a' },
    { $unwind: { path: '$c', preserveNullAndEmptyArrays: true, includeArrayIndex: 'i' } },
  ),
  fc.constantFrom<Document>({ $project: { is: { $gt: ['$a', '$b'] }, pick: { $cond: ['$a', '$b', 'no'] } } }),
);
const groupStages = fc
  .tuple(groupId, accumulator, accumulator)
  .map(([_id, x, y]): Document[] => [{ $group: { _id, x, y } }]);
const pipeline = fc
  .tuple(
    fc.option(filter, { nil: undefined }),
    fc.array(stage, { maxLength: 2 }),
    fc.option(groupStages, { nil: undefined }),
    fc.boolean(),
  )
  .map(([match, stages, group, counts]): Document[] => [
    ...(match ? [{ $match: match }] : []),
    { $sort: { _id: 1 } },
    ...stages,
    ...(group ?? []),
    ...(counts ? [{ $count: 'n' }] : []),
  ]);

const index = fc
  .tuple(
    fc.constantFrom<[string, 1 | -1][]>(
      [['a', 1]],
      [
        ['a', -1],
        ['b', 1],
      ],
      [
        ['b', 1],
        ['_id', -1],
      ],
      [
        ['c.d', 1],
        ['a', 1],
      ],
      [['c.0', 1]],
      [
        ['a', 1],
        ['_id', 1],
      ],
      [
        ['c.d', -1],
        ['c.e', 1],
      ],
    ),
    fc.boolean(),
  )
  .map(([key, sparse]) => ({ kind: 'index' as const, key, unique: false, sparse }));
const uniqueIndex = fc
  .boolean()
  .map((sparse) => ({ kind: 'index' as const, key: [['u', 1]] as [string, 1 | -1][], unique: true, sparse }));

/** What may be done to a collection, in any order. */
export const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('insert' as const),
      documents: fc.array(document, { minLength: 1, maxLength: 6 }),
      ordered: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({
        kind: fc.constant('update' as const),
        filter: fc.oneof(
          filter,
          id.map((_id) => ({ _id })),
        ),
        update,
        many: fc.boolean(),
        upsert: fc.boolean(),
      })
      .map((made) => ({
        ...made,
        filter: made.many ? made.filter : { _id: idIn(made.filter) },
        upsert: made.upsert && !made.many,
      })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('replace' as const),
      filter: id.map((_id) => ({ _id })),
      replacement: fields,
      upsert: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('delete' as const), filter, many: fc.constant(true) }),
  },
  {
    weight: 9,
    arbitrary: fc.record({
      kind: fc.constant('find' as const),
      filter,
      sort: order,
      projection,
      skip: fc.integer({ min: 0, max: 3 }),
      limit: fc.integer({ min: 0, max: 6 }),
      batchSize: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('modify' as const),
      filter,
      update,
      sort: order,
      upsert: fc.constant(false),
      after: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('count' as const), filter }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('distinct' as const),
      field: fc.constantFrom('a', 'b', 'c.d', 'c'),
      filter,
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('aggregate' as const), pipeline }) },
  { weight: 3, arbitrary: index },
  { weight: 1, arbitrary: uniqueIndex },
);

const idIn = (chosen: Document): unknown =>
  chosen['_id'] instanceof Int32 ? chosen['_id'] : new Int32(Object.keys(chosen).length);
