import { CommandError } from '../command.error';
import { bsonOf, DocumentWriter } from '../bson/document-writer';
import { identityOf } from '../bson/key-encoding';
import { pathOf, visitPath } from '../bson/path';
import { ElementCursor, entriesOf, isText, numberOf, T, textOf, Value, valuesOf } from '../bson/raw-value';
import { parsePipeline, runStages } from '../aggregate/pipeline';
import { Filter, MATCH_ALL, parseFilter } from '../query/filter';
import { compileFilter } from '../query/matcher';
import { Plan, plan, SortField } from '../query/planner';
import { compileProjection } from '../query/projection';
import { parseSort, Sorter } from '../query/sort';
import { Each, ListSource, Scan, Slice, sorted, Source } from '../query/source';
import { Engine, Handler } from './engine';
import { Pace } from './pace';
import { Request } from './request';

const FIRST_BATCH = 101;
const DISTINCT_BYTES_MAX = 16 * 1024 * 1024;

const EMPTY = new ListSource([]);

const filterOf = (request: Request, name: string): Filter => {
  const document = request.document(name);
  return document ? parseFilter(document) : MATCH_ALL;
};

type Access = Readonly<{ source: Source; scan: Scan | undefined; plan: Plan | undefined; isSorted: boolean }>;

/** Finds the documents of a filter in an order; sorts in memory, no more than `limit`, where no index gives it. */
const access = (
  engine: Engine,
  namespace: string,
  filter: Filter,
  sort: readonly SortField[],
  limit: number,
): Access => {
  const collection = engine.catalog.find(namespace);
  if (!collection) return { source: EMPTY, scan: undefined, plan: undefined, isSorted: true };
  const natural = sort.length === 1 && sort[0]!.path.text === '$natural';
  if (natural) throw new CommandError(238, '$natural is not supported');
  const chosen = plan(engine.store, collection, filter, sort);
  const scan = new Scan(engine.store, collection, chosen, compileFilter(filter));
  const isSorted =
    sort.length === 0 || (chosen.kind === 'index' && chosen.sorted) || chosen.kind === 'nothing';
  return { source: isSorted ? scan : sorted(scan, new Sorter(sort, limit)), scan, plan: chosen, isSorted };
};

const findAccess = (engine: Engine, request: Request): Access => {
  request.refuseUnsupported();
  for (const name of ['tailable', 'returnKey', 'showRecordId', 'min', 'max']) {
    if (request.value(name) && (request.value(name)!.type !== T.bool || request.flag(name, false))) {
      throw new CommandError(238, `${name} is not supported`);
    }
  }
  const skip = request.count('skip') ?? 0;
  const limit = request.count('limit') || Infinity;
  const found = access(
    engine,
    request.namespace,
    filterOf(request, 'filter'),
    parseSort(request.document('sort')),
    skip + limit,
  );
  const project = compileProjection(request.document('projection'));
  let { source } = found;
  if (skip > 0 || limit !== Infinity) source = new Slice(source, skip, limit);
  if (project) source = new Each(source, project);
  return { ...found, source };
};

const find: Handler = (engine, request) => {
  const { source } = findAccess(engine, request);
  const single = request.flag('singleBatch', false);
  return engine.cursors.first(request.namespace, source, request.count('batchSize') ?? FIRST_BATCH, single);
};

const getMore: Handler = (engine, request) => {
  const id = request.value('getMore')!;
  if (id.type !== T.long) throw new CommandError(14, "BSON field 'getMore.getMore' is the wrong type");
  return engine.cursors.more(
    BigInt(numberOf(id)),
    `${request.database}.${request.optionalText('collection') ?? ''}`,
    request.count('batchSize') || undefined,
  );
};

const killCursors: Handler = (engine, request) => {
  const ids = request.value('cursors');
  if (ids?.type !== T.array) throw new CommandError(14, "BSON field 'killCursors.cursors' must be an array");
  const killed: bigint[] = [];
  const missing: bigint[] = [];
  for (const id of valuesOf(ids)) {
    if (id.type !== T.long) continue;
    const number = BigInt(numberOf(id));
    (engine.cursors.kill(number) ? killed : missing).push(number);
  }
  return bsonOf({
    cursorsKilled: killed,
    cursorsNotFound: missing,
    cursorsAlive: [],
    cursorsUnknown: [],
    ok: 1,
  });
};

const aggregate: Handler = (engine, request) => {
  request.refuseUnsupported();
  const pipeline = request.value('pipeline');
  if (!pipeline)
    throw new CommandError(40414, "BSON field 'aggregate.pipeline' is missing but a required field");
  if (!isText(request.value('aggregate')!.type))
    throw new CommandError(238, 'collectionless aggregates are not supported');
  const { filter, sort, limit, stages } = parsePipeline(pipeline);
  const cursor = request.document('cursor');
  if (!cursor && !request.flag('explain', false)) {
    throw new CommandError(
      9,
      "The 'cursor' option is required, except for aggregate with the explain argument",
    );
  }
  const { source } = access(engine, request.namespace, filter, sort, limit);
  const size = cursor && entriesOf(cursor).find(([name]) => name === 'batchSize')?.[1];
  const batchSize = size ? Number(numberOf(size)) : FIRST_BATCH;
  return engine.cursors.first(request.namespace, runStages(source, stages), batchSize, false);
};

/** Runs a source to its end. */
const drain = async (source: Source, take: (document: Buffer) => void): Promise<void> => {
  const pace = new Pace();
  for (let documents = source.next(256); documents; documents = source.next(256)) {
    documents.forEach(take);
    if (pace.isDue) await pace.pause();
  }
};

const count: Handler = async (engine, request) => {
  request.refuseUnsupported();
  const filter = filterOf(request, 'query');
  const skip = request.count('skip') ?? 0;
  const limitValue = request.value('limit');
  const limit =
    limitValue && limitValue.type !== T.null ? Math.abs(Number(numberOf(limitValue))) || Infinity : Infinity;
  let n = 0;
  if (filter.kind === 'and' && filter.parts.length === 0) {
    n = Math.min(Math.max((engine.catalog.find(request.namespace)?.count ?? 0) - skip, 0), limit);
  } else {
    const { source } = access(engine, request.namespace, filter, [], Infinity);
    await drain(new Slice(source, skip, limit), () => void (n += 1));
  }
  return bsonOf({ n, ok: 1 });
};

const distinct: Handler = async (engine, request) => {
  request.refuseUnsupported();
  const path = pathOf(request.optionalText('key') ?? '');
  const { source } = access(engine, request.namespace, filterOf(request, 'query'), [], Infinity);
  const values = new Map<string, Value>();
  let bytes = 0;
  const add = (value: Value): void => {
    const identity = identityOf(value);
    if (values.has(identity)) return;
    bytes += value.end - value.at + 16;
    if (bytes > DISTINCT_BYTES_MAX) throw new CommandError(17217, 'distinct too big, 16mb cap');
    values.set(identity, value);
  };
  await drain(source, (document) => {
    visitPath(document, 0, path, (value) => {
      if (value?.type === T.array) valuesOf(value).forEach(add);
      else if (value) add(value);
      return false;
    });
  });
  const writer = new DocumentWriter(bytes + 256);
  const mark = writer.begin();
  const list = writer.beginDocument('values', T.array);
  // In order, so that the answer is the same whichever way the documents were found.
  [...values.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .forEach(([, value], index) => writer.item(index, value));
  writer.end(list);
  writer.double('ok', 1);
  writer.end(mark);
  return writer.take();
};

const describePlan = (access: Access): object => {
  const { plan: chosen, isSorted } = access;
  const stage =
    chosen?.kind === 'index'
      ? {
          stage: 'FETCH',
          inputStage: {
            stage: 'IXSCAN',
            indexName: chosen.index.stored.name,
            keyPattern: Object.fromEntries(chosen.index.stored.key),
            isMultiKey: chosen.index.stored.multikey.some(Boolean),
            direction: chosen.reverse ? 'backward' : 'forward',
          },
        }
      : { stage: chosen?.kind === 'collection' ? 'COLLSCAN' : 'EOF' };
  return isSorted ? stage : { stage: 'SORT', inputStage: stage };
};

/** How a `find` would be run, and what it looked at. */
const explain: Handler = async (engine, request) => {
  const inner = request.document('explain');
  if (!inner) throw new CommandError(14, "BSON field 'explain' must be an object");
  const cursor = new ElementCursor(inner.buf, inner.at);
  if (!cursor.next() || cursor.name !== 'find')
    throw new CommandError(238, 'explain is supported for find only');
  const writer = new DocumentWriter(inner.end - inner.at + 128);
  const mark = writer.begin();
  for (const [name, value] of entriesOf(inner)) writer.value(name, value);
  writer.string('$db', request.database);
  writer.end(mark);
  const found = findAccess(engine, new Request(writer.take(), new Map()));
  const queryPlanner = {
    namespace: `${request.database}.${textOf(cursor.value)}`,
    winningPlan: describePlan(found),
    rejectedPlans: [],
  };
  if (request.optionalText('verbosity') === 'queryPlanner')
    return bsonOf({ explainVersion: '1', queryPlanner, ok: 1 });
  const started = performance.now();
  let nReturned = 0;
  await drain(found.source, () => void (nReturned += 1));
  return bsonOf({
    explainVersion: '1',
    queryPlanner,
    executionStats: {
      executionSuccess: true,
      nReturned,
      executionTimeMillis: Math.round(performance.now() - started),
      totalKeysExamined: found.scan?.stats.keysExamined ?? 0,
      totalDocsExamined: found.scan?.stats.docsExamined ?? 0,
    },
    ok: 1,
  });
};

export const queryCommands: Readonly<Record<string, Handler>> = {
  find,
  getMore,
  killCursors,
  aggregate,
  count,
  distinct,
  explain,
};
