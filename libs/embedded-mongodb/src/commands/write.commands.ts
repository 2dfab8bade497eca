import { CommandError, DuplicateKeyError, failedToParse } from '../command.error';
import { DocumentWriter } from '../bson/document-writer';
import { asValue, entriesOf, fieldOf, isNumber, numberOf, T, Value } from '../bson/raw-value';
import { Filter, MATCH_ALL, parseFilter, truthOf } from '../query/filter';
import { compileFilter } from '../query/matcher';
import { plan, SortField } from '../query/planner';
import { compileProjection } from '../query/projection';
import { parseSort, sortKeyOf } from '../query/sort';
import { Found, Scan } from '../query/source';
import { Collection } from '../storage/collection';
import { compileUpdate, Update } from '../update/update';
import { Engine, Handler } from './engine';
import { breathe, Pace } from './pace';
import { Request } from './request';

/** How long one commit may gather statements before readers get a turn. */
const COMMIT_MS = 5;
const ID = Buffer.from('_id');

type WriteError = Readonly<{ index: number; error: CommandError }>;
type Outcome = {
  n: number;
  modified: number;
  upserted: { index: number; id: Value }[];
  errors: WriteError[];
};

/**
 * Runs the statements of a batch in order: many to a commit, none spread over two, except those on many documents.
 * With `ordered`, the first error ends the batch.
 */
const runBatch = async <Statement>(
  engine: Engine,
  request: Request,
  statements: readonly Statement[],
  runOne: (statement: Statement, index: number, outcome: Outcome) => void,
  runMany?: (statement: Statement, index: number, outcome: Outcome) => Promise<void> | undefined,
): Promise<Outcome> => {
  const ordered = request.flag('ordered', true);
  const { isJournaled } = request;
  const outcome: Outcome = { n: 0, modified: 0, upserted: [], errors: [] };
  let next = 0;
  const isOver = (): boolean => next >= statements.length || (ordered && outcome.errors.length > 0);
  const failed = (index: number, error: unknown): void => {
    if (!(error instanceof CommandError)) throw error;
    outcome.errors.push({ index, error });
  };
  while (!isOver()) {
    const many = runMany?.(statements[next]!, next, outcome);
    if (many) {
      await many.catch((error) => failed(next, error));
      next += 1;
      continue;
    }
    await engine.store.write(() => {
      const started = performance.now();
      do {
        if (runMany && isMany(statements[next])) break;
        try {
          runOne(statements[next]!, next, outcome);
        } catch (error) {
          failed(next, error);
        }
        next += 1;
      } while (!isOver() && performance.now() - started < COMMIT_MS);
    }, isJournaled);
    if (!isOver()) await breathe();
  }
  return outcome;
};

const isMany = (statement: unknown): boolean => (statement as { multi?: boolean }).multi === true;

const outcomeReply = (outcome: Outcome, isUpdate: boolean): Buffer => {
  const writer = new DocumentWriter(256);
  const mark = writer.begin();
  writer.int32('n', outcome.n);
  if (isUpdate) writer.int32('nModified', outcome.modified);
  if (outcome.upserted.length > 0) {
    writer.documents(
      'upserted',
      outcome.upserted.map(({ index, id }) => {
        const item = new DocumentWriter(64);
        const itemMark = item.begin();
        item.int32('index', index);
        item.value('_id', id);
        item.end(itemMark);
        return item.take();
      }),
    );
  }
  if (outcome.errors.length > 0) writer.documents('writeErrors', outcome.errors.map(errorDocument));
  writer.double('ok', 1);
  writer.end(mark);
  return writer.take();
};

const errorDocument = ({ index, error }: WriteError): Buffer => {
  const writer = new DocumentWriter(256);
  const mark = writer.begin();
  writer.int32('index', index);
  writer.int32('code', error.code);
  if (error instanceof DuplicateKeyError) {
    writer.document('keyPattern', error.keyPattern);
    writer.document('keyValue', error.keyValue);
  }
  writer.string('errmsg', error.message);
  writer.end(mark);
  return writer.take();
};

const insert: Handler = async (engine, request) => {
  request.refuseUnsupported();
  const { namespace } = request;
  const outcome = await runBatch(engine, request, request.documents('documents'), (document, _, result) => {
    engine.catalog.findOrCreate(namespace).insert(document);
    result.n += 1;
  });
  return outcomeReply(outcome, false);
};

type UpdateStatement = Readonly<{
  filterSource: Value;
  updateSource: Value;
  multi: boolean;
  upsert: boolean;
}>;

const statementFields = (
  statement: Buffer,
  known: readonly string[],
  command: string,
): Map<string, Value> => {
  const fields = new Map(entriesOf(asValue(statement)));
  for (const name of ['collation', 'arrayFilters']) {
    if (fields.has(name)) throw new CommandError(238, `${name} is not supported`);
  }
  for (const name of fields.keys()) {
    if (!known.includes(name))
      throw new CommandError(40415, `BSON field '${command}.${name}' is an unknown field.`);
  }
  return fields;
};

const queryOf = (fields: Map<string, Value>, command: string): Value => {
  const q = fields.get('q');
  if (!q) throw new CommandError(40414, `BSON field '${command}.q' is missing but a required field`);
  if (q.type !== T.object)
    throw new CommandError(14, `BSON field '${command}.q' is the wrong type, expected type 'object'`);
  return q;
};

const updateStatement = (statement: Buffer): UpdateStatement => {
  const fields = statementFields(statement, ['q', 'u', 'multi', 'upsert', 'hint'], 'update.updates');
  const u = fields.get('u');
  if (!u) throw new CommandError(40414, "BSON field 'update.updates.u' is missing but a required field");
  return {
    filterSource: queryOf(fields, 'update.updates'),
    updateSource: u,
    multi: truthOf(fields.get('multi')),
    upsert: truthOf(fields.get('upsert')),
  };
};

/** The `_id` a filter asks for and nothing else, or together with other tests: the way of most writes. */
const idOf = (filter: Value): Value | undefined => {
  const id = fieldOf(filter.buf, filter.at, ID);
  if (!id || id.type === T.array || id.type === T.regex || id.type === T.undefined) return undefined;
  return id.type === T.object && id.buf[id.at + 5] === 0x24 && id.buf[id.at + 4] !== 0 ? undefined : id;
};

/** The first document a filter finds. Inside a write transaction: nothing comes between finding and changing. */
const findOne = (
  engine: Engine,
  collection: Collection,
  filterSource: Value,
  filter: Filter,
  sort: readonly SortField[] = [],
): Found | undefined => {
  const matches = compileFilter(filter);
  const id = idOf(filterSource);
  if (id) {
    const recordId = collection.recordById(id);
    const document = recordId === undefined ? undefined : collection.document(recordId);
    return document && matches(document, 0) ? { recordId: recordId!, document } : undefined;
  }
  const chosen = plan(engine.store, collection, filter, sort);
  const scan = new Scan(engine.store, collection, chosen, matches);
  const isSorted = sort.length === 0 || (chosen.kind === 'index' && chosen.sorted);
  let best: { key: Buffer; found: Found } | undefined;
  const paths = sort.map((field) => field.path);
  for (let found = scan.find(isSorted ? 1 : 256); found; found = scan.find(isSorted ? 8 : 256)) {
    for (const candidate of found) {
      if (isSorted) return candidate;
      const key = sortKeyOf(candidate.document, sort, paths);
      if (!best || key.compare(best.key) < 0) best = { key, found: candidate };
    }
  }
  return best?.found;
};

/** Records of all documents a filter finds, before any of them is changed. */
const findAll = async (engine: Engine, collection: Collection, filter: Filter): Promise<number[]> => {
  const scan = new Scan(
    engine.store,
    collection,
    plan(engine.store, collection, filter, []),
    compileFilter(filter),
  );
  const records: number[] = [];
  const pace = new Pace();
  for (let found = scan.find(256); found; found = scan.find(256)) {
    for (const { recordId } of found) records.push(recordId);
    if (pace.isDue) await pace.pause();
  }
  return records;
};

/** Changes those of the records that still match, a few to a commit. */
const changeAll = async (
  engine: Engine,
  collection: Collection,
  filter: Filter,
  isJournaled: boolean,
  change: (found: Found) => void,
): Promise<void> => {
  const matches = compileFilter(filter);
  const records = await findAll(engine, collection, filter);
  let next = 0;
  let refusal: CommandError | undefined;
  while (next < records.length && !refusal) {
    await engine.store.write(() => {
      const started = performance.now();
      do {
        const recordId = records[next]!;
        next += 1;
        const document = collection.alive ? collection.document(recordId) : undefined;
        if (document && matches(document, 0)) refusal = refusalOf(() => change({ recordId, document }));
      } while (next < records.length && !refusal && performance.now() - started < COMMIT_MS);
    }, isJournaled);
    await breathe();
  }
  // What was changed before stays so, as on a real server.
  if (refusal) throw refusal;
};

const refusalOf = (action: () => void): CommandError | undefined => {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
};

const upsertDocument = (collection: Collection, update: Update, filter: Filter): Buffer =>
  collection.insert(update.create(filter));

const updateFound = (collection: Collection, update: Update, { recordId, document }: Found): Buffer => {
  const after = update.apply(document);
  if (after !== document) collection.replace(recordId, document, after);
  return after;
};

const update: Handler = async (engine, request) => {
  request.refuseUnsupported();
  const { namespace } = request;
  const statements = request.documents('updates').map(updateStatement);

  const runOne = (statement: UpdateStatement, index: number, outcome: Outcome): void => {
    const filter = parseFilter(statement.filterSource);
    const compiled = compileUpdate(statement.updateSource, statement.multi);
    const collection = statement.upsert
      ? engine.catalog.findOrCreate(namespace)
      : engine.catalog.find(namespace);
    if (!collection) return;
    const found = findOne(engine, collection, statement.filterSource, filter);
    if (found) {
      outcome.n += 1;
      if (updateFound(collection, compiled, found) !== found.document) outcome.modified += 1;
    } else if (statement.upsert) {
      const created = upsertDocument(collection, compiled, filter);
      outcome.n += 1;
      outcome.upserted.push({ index, id: fieldOf(created, 0, ID)! });
    }
  };

  const runMany = (statement: UpdateStatement, index: number, outcome: Outcome): Promise<void> | undefined =>
    statement.multi ? runOnMany(statement, index, outcome) : undefined;

  const runOnMany = async (statement: UpdateStatement, index: number, outcome: Outcome): Promise<void> => {
    const filter = parseFilter(statement.filterSource);
    const compiled = compileUpdate(statement.updateSource, true);
    const collection = engine.catalog.find(namespace);
    const before = outcome.n;
    if (collection) {
      await changeAll(engine, collection, filter, request.isJournaled, (found) => {
        outcome.n += 1;
        if (updateFound(collection, compiled, found) !== found.document) outcome.modified += 1;
      });
    }
    if (outcome.n > before || !statement.upsert) return;
    await engine.store.write(() => runOne(statement, index, outcome), request.isJournaled);
  };

  return outcomeReply(await runBatch(engine, request, statements, runOne, runMany), true);
};

const remove: Handler = async (engine, request) => {
  request.refuseUnsupported();
  const { namespace } = request;
  const statements = request.documents('deletes').map((statement) => {
    const fields = statementFields(statement, ['q', 'limit', 'hint'], 'delete.deletes');
    const limit = fields.get('limit');
    if (!limit)
      throw new CommandError(40414, "BSON field 'delete.deletes.limit' is missing but a required field");
    const number = isNumber(limit.type) && limit.type !== T.decimal ? Number(numberOf(limit)) : NaN;
    if (number !== 0 && number !== 1)
      throw failedToParse(`The limit field in delete objects must be 0 or 1. Got ${number}`);
    return { filterSource: queryOf(fields, 'delete.deletes'), multi: number === 0 };
  });
  const outcome = await runBatch(
    engine,
    request,
    statements,
    ({ filterSource }, _, result) => {
      const filter = parseFilter(filterSource);
      const collection = engine.catalog.find(namespace);
      const found = collection && findOne(engine, collection, filterSource, filter);
      if (!found) return;
      collection.remove(found.recordId, found.document);
      result.n += 1;
    },
    ({ filterSource, multi }, _, result) => {
      if (!multi) return undefined;
      const run = async (): Promise<void> => {
        const filter = parseFilter(filterSource);
        const collection = engine.catalog.find(namespace);
        if (!collection) return;
        await changeAll(engine, collection, filter, request.isJournaled, (found) => {
          collection.remove(found.recordId, found.document);
          result.n += 1;
        });
      };
      return run();
    },
  );
  return outcomeReply(outcome, false);
};

const findAndModify: Handler = async (engine, request) => {
  request.refuseUnsupported();
  if (request.value('arrayFilters')) throw new CommandError(238, 'arrayFilters is not supported');
  const { isJournaled, namespace } = request;
  const filterSource = request.document('query') ?? asValue(Buffer.from([5, 0, 0, 0, 0]));
  const filter = request.document('query') ? parseFilter(filterSource) : MATCH_ALL;
  const sort = parseSort(request.document('sort'));
  const removes = request.flag('remove', false);
  const upserts = request.flag('upsert', false);
  const wantsNew = request.flag('new', false);
  const updateSource = request.value('update');
  if (removes && updateSource) throw failedToParse('Cannot specify both an update and remove=true');
  if (removes && upserts) throw failedToParse('Cannot specify both upsert=true and remove=true');
  if (removes && wantsNew)
    throw failedToParse(
      "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document",
    );
  if (!removes && !updateSource) throw failedToParse('Either an update or remove=true must be specified');
  const compiled = updateSource && compileUpdate(updateSource, false);
  const project = compileProjection(request.document('fields'));
  type Result = { value: Buffer | undefined; existing: boolean; n: number; upserted?: Value };
  const result = await engine.store.write((): Result | CommandError => {
    try {
      const collection = upserts ? engine.catalog.findOrCreate(namespace) : engine.catalog.find(namespace);
      const found = collection && findOne(engine, collection, filterSource, filter, sort);
      if (!collection || (!found && !upserts)) return { value: undefined, existing: false, n: 0 };
      if (!found) {
        const created = upsertDocument(collection, compiled!, filter);
        return {
          value: wantsNew ? created : undefined,
          existing: false,
          n: 1,
          upserted: fieldOf(created, 0, ID)!,
        };
      }
      if (removes) {
        collection.remove(found.recordId, found.document);
        return { value: found.document, existing: true, n: 1 };
      }
      const after = updateFound(collection, compiled!, found);
      return { value: wantsNew ? after : found.document, existing: true, n: 1 };
    } catch (error) {
      if (error instanceof CommandError) return error;
      throw error;
    }
  }, isJournaled);
  if (result instanceof CommandError) throw result;
  const writer = new DocumentWriter(1_024);
  const mark = writer.begin();
  const last = writer.beginDocument('lastErrorObject');
  writer.int32('n', result.n);
  if (!removes)
    writer.value('updatedExisting', {
      type: T.bool,
      buf: Buffer.from([Number(result.existing)]),
      at: 0,
      end: 1,
    });
  if (result.upserted) writer.value('upserted', result.upserted);
  writer.end(last);
  if (result.value) writer.document('value', project ? project(result.value) : result.value);
  else writer.value('value', { type: T.null, buf: Buffer.alloc(0), at: 0, end: 0 });
  writer.double('ok', 1);
  writer.end(mark);
  return writer.take();
};

export const writeCommands: Readonly<Record<string, Handler>> = {
  insert,
  update,
  delete: remove,
  findAndModify,
  findandmodify: findAndModify,
};
