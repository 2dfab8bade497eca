import { deserialize, Document } from 'bson';
import { badValue, CommandError } from '../command.error';
import { bsonOf } from '../bson/document-writer';
import {
  bytesOf,
  entriesOf,
  isNumber,
  isText,
  numberOf,
  T,
  textOf,
  Value,
  valuesOf,
} from '../bson/raw-value';
import { parseFilter, truthOf } from '../query/filter';
import { compileFilter } from '../query/matcher';
import { Collection, DOCUMENT_SIZE_MAX } from '../storage/collection';
import { Index, StoredIndex } from '../storage/index-key';
import { MESSAGE_LENGTH_MAX } from '../wire/message';
import { Engine, Handler } from './engine';
import { breathe } from './pace';
import { Request } from './request';
import { ListSource } from '../query/source';

/** What a client is told: the protocol of MongoDB 6.0, standalone. */
const VERSION = '6.0.0';
const WIRE_VERSION = 17;
const OK = { ok: 1 };
const BUILD_CHUNK = 200;
const KEY_FIELDS_MAX = 32;

const helloFields = (request: Request): Document => ({
  helloOk: true,
  ...(request.command === 'hello' ? { isWritablePrimary: true } : { ismaster: true }),
  maxBsonObjectSize: DOCUMENT_SIZE_MAX,
  maxMessageSizeBytes: MESSAGE_LENGTH_MAX,
  maxWriteBatchSize: 100_000,
  localTime: new Date(),
  logicalSessionTimeoutMinutes: 30,
  minWireVersion: 0,
  maxWireVersion: WIRE_VERSION,
  readOnly: false,
  ...OK,
});

const hello: Handler = (_, request) => bsonOf(helloFields(request));

const acknowledged: Handler = () => bsonOf(OK);

const buildInfo: Handler = () =>
  bsonOf({
    version: VERSION,
    versionArray: [6, 0, 0, 0],
    modules: ['embedded-mongodb'],
    bits: 64,
    maxBsonObjectSize: DOCUMENT_SIZE_MAX,
    storageEngines: ['lmdb'],
    ...OK,
  });

const serverStatus: Handler = (engine) =>
  bsonOf({
    version: VERSION,
    process: 'embedded-mongodb',
    uptime: (Date.now() - engine.startedAt) / 1000,
    localTime: new Date(),
    ...OK,
  });

const getParameter: Handler = (_, request) => {
  if (request.value('featureCompatibilityVersion')) {
    return bsonOf({ featureCompatibilityVersion: { version: '6.0' }, ...OK });
  }
  throw new CommandError(72, 'no option found to get');
};

/** Runs a change of the catalog in a write transaction; refusals come out as errors. */
const change = async <Result>(engine: Engine, request: Request, action: () => Result): Promise<Result> => {
  const { isJournaled } = request;
  const result = await engine.store.write(() => {
    try {
      return { value: action() };
    } catch (error) {
      if (error instanceof CommandError) return { error };
      throw error;
    }
  });
  if ('error' in result && result.error) throw result.error;
  if (isJournaled) await engine.store.checkpoint();
  return (result as { value: Result }).value;
};

const create: Handler = async (engine, request) => {
  request.refuseUnsupported();
  for (const name of ['capped', 'timeseries', 'viewOn', 'validator', 'clusteredIndex']) {
    if (truthOf(request.value(name))) throw new CommandError(238, `create with ${name} is not supported`);
  }
  await change(engine, request, () => engine.catalog.create(request.namespace));
  return bsonOf(OK);
};

const drop: Handler = async (engine, request) => {
  const nIndexes = await change(engine, request, () => {
    const collection = engine.catalog.find(request.namespace);
    if (!collection) throw new CommandError(26, 'ns not found');
    engine.catalog.drop(collection);
    return collection.indexes.length;
  });
  engine.purge();
  return bsonOf({ nIndexesWas: nIndexes, ns: request.namespace, ...OK });
};

const dropDatabase: Handler = async (engine, request) => {
  const dropped = await change(engine, request, () => {
    const collections = engine.catalog.inDatabase(request.database);
    for (const collection of collections) engine.catalog.drop(collection);
    return collections.length;
  });
  engine.purge();
  return bsonOf(dropped > 0 ? { dropped: request.database, ...OK } : OK);
};

const renameCollection: Handler = async (engine, request) => {
  const from = request.optionalText('renameCollection') ?? '';
  const to = request.optionalText('to') ?? '';
  if (request.database !== 'admin')
    throw new CommandError(13, 'renameCollection may only be run against the admin database.');
  await change(engine, request, () => {
    if (from === to) throw new CommandError(20, "Can't rename a collection to itself");
    const collection = engine.catalog.find(from);
    if (!collection) throw new CommandError(26, `Source collection ${from} does not exist`);
    engine.catalog.rename(collection, to, request.flag('dropTarget', false));
  });
  engine.purge();
  return bsonOf(OK);
};

const listCollections: Handler = (engine, request) => {
  const filter = request.document('filter');
  const matches = filter && compileFilter(parseFilter(filter));
  const nameOnly = request.flag('nameOnly', false);
  const documents = engine.catalog
    .inDatabase(request.database)
    .map((collection) => {
      const name = collection.namespace.slice(request.database.length + 1);
      const details = { options: {}, info: { readOnly: false }, idIndex: describeIndex(collection.idIndex) };
      return bsonOf({ name, type: 'collection', ...(nameOnly ? {} : details) });
    })
    .filter((document) => !matches || matches(document, 0));
  return listed(engine, request, `${request.database}.$cmd.listCollections`, documents);
};

const listed = (
  engine: Engine,
  request: Request,
  namespace: string,
  documents: readonly Buffer[],
): Promise<Buffer> => {
  const cursor = request.document('cursor');
  const size = cursor && entriesOf(cursor).find(([name]) => name === 'batchSize')?.[1];
  return engine.cursors.first(
    namespace,
    new ListSource(documents),
    size ? Number(numberOf(size)) : Infinity,
    false,
  );
};

const listDatabases: Handler = (engine) => {
  const databases = engine.catalog.databases().map((name) => ({ name, sizeOnDisk: 0, empty: false }));
  return bsonOf({ databases, totalSize: 0, totalSizeMb: 0, ...OK });
};

const describeIndex = ({ stored }: Index): Document => ({
  v: 2,
  key: Object.fromEntries(stored.key),
  name: stored.name,
  ...(stored.unique && stored.name !== '_id_' ? { unique: true } : {}),
  ...(stored.sparse ? { sparse: true } : {}),
  ...(stored.partial === undefined
    ? {}
    : { partialFilterExpression: deserialize(Buffer.from(stored.partial, 'base64')) }),
  ...(stored.expireAfterSeconds === undefined ? {} : { expireAfterSeconds: stored.expireAfterSeconds }),
});

const listIndexes: Handler = (engine, request) => {
  const collection = engine.catalog.find(request.namespace);
  if (!collection) throw new CommandError(26, `ns does not exist: ${request.namespace}`);
  return listed(
    engine,
    request,
    request.namespace,
    collection.indexes.map((index) => bsonOf(describeIndex(index))),
  );
};

type IndexSpec = Omit<StoredIndex, 'id' | 'multikey' | 'inexact' | 'building'>;

const INDEX_OPTIONS: ReadonlySet<string> = new Set([
  'key',
  'name',
  'unique',
  'sparse',
  'partialFilterExpression',
  'expireAfterSeconds',
  'background',
  'v',
  'ns',
  'hidden',
]);

const indexSpec = (source: Value): IndexSpec => {
  if (source.type !== T.object) throw new CommandError(14, 'index specifications must be objects');
  const options = new Map(entriesOf(source));
  for (const name of options.keys()) {
    if (!INDEX_OPTIONS.has(name)) {
      throw ['collation', 'weights', 'wildcardProjection', '2dsphereIndexVersion'].includes(name)
        ? new CommandError(238, `index option ${name} is not supported`)
        : new CommandError(197, `The field '${name}' is not valid for an index specification.`);
    }
  }
  const keySource = options.get('key');
  if (keySource?.type !== T.object)
    throw new CommandError(9, "The 'key' field is a required property of an index specification");
  const key = entriesOf(keySource).map(([path, direction]): [string, 1 | -1] => [
    path,
    directionOf(path, direction),
  ]);
  if (key.length === 0) throw new CommandError(67, 'Index keys cannot be empty.');
  if (key.length > KEY_FIELDS_MAX) throw new CommandError(13103, 'too many fields in an index');
  const name = options.get('name');
  if (!name || !isText(name.type))
    throw new CommandError(9, "The 'name' field is a required property of an index specification");
  const partial = options.get('partialFilterExpression');
  if (partial) checkPartial(partial);
  const expiry = options.get('expireAfterSeconds');
  return {
    name: textOf(name),
    key,
    unique: truthOf(options.get('unique')),
    sparse: truthOf(options.get('sparse')),
    ...(partial ? { partial: Buffer.from(bytesOf(partial)).toString('base64') } : {}),
    ...(expiry ? { expireAfterSeconds: expiryOf(expiry) } : {}),
  };
};

const expiryOf = (value: Value): number => {
  const seconds = isNumber(value.type) && value.type !== T.decimal ? Number(numberOf(value)) : NaN;
  if (!(seconds >= 0 && seconds <= 2_147_483_647))
    throw new CommandError(67, 'TTL index expireAfterSeconds must be a number from 0 to 2147483647');
  return seconds;
};

const directionOf = (path: string, value: Value): 1 | -1 => {
  if (path === '' || path.split('.').includes(''))
    throw new CommandError(67, 'Index keys cannot contain an empty field.');
  if (path.split('.').some((part) => part.startsWith('$'))) {
    throw new CommandError(
      67,
      path === '$**'
        ? 'wildcard indexes are not supported'
        : "Index key contains an illegal field name: field name starts with '$'.",
    );
  }
  if (isText(value.type)) throw new CommandError(67, `Unknown index plugin '${textOf(value)}'`);
  const direction = isNumber(value.type) && value.type !== T.decimal ? Number(numberOf(value)) : 0;
  if (direction === 0 || Number.isNaN(direction))
    throw new CommandError(67, 'Values in v:2 index key pattern must be numbers other than 0');
  return direction > 0 ? 1 : -1;
};

const checkPartial = (partial: Value): void => {
  if (partial.type !== T.object) throw new CommandError(67, "'partialFilterExpression' must be a document");
  const filter = parseFilter(partial);
  const parts = filter.kind === 'and' ? filter.parts : [filter];
  const isSimple = parts.every(
    (part) =>
      part.kind === 'field' &&
      (['eq', 'gt', 'gte', 'lt', 'lte', 'in'].includes(part.predicate.op) ||
        (part.predicate.op === 'exists' && part.predicate.expected)),
  );
  if (!isSimple) throw new CommandError(67, 'unsupported expression in partial index');
};

const sameKey = (index: Index, spec: IndexSpec): boolean =>
  JSON.stringify(index.stored.key) === JSON.stringify(spec.key);

const sameOptions = ({ stored }: Index, spec: IndexSpec): boolean =>
  stored.unique === spec.unique && stored.sparse === spec.sparse && stored.partial === spec.partial;

/** The index that is there already; fails where name or key are taken by another one. */
const existingIndex = (collection: Collection, spec: IndexSpec): Index | undefined => {
  if (spec.key.length === 1 && spec.key[0]![0] === '_id' && spec.key[0]![1] === 1) return collection.idIndex;
  const byName = collection.indexes.find((index) => index.stored.name === spec.name);
  if (byName) {
    if (sameKey(byName, spec) && sameOptions(byName, spec)) return byName;
    throw new CommandError(86, `An existing index has the same name as the requested index: ${spec.name}`);
  }
  const byKey = collection.indexes.find(
    (index) => sameKey(index, spec) && index.stored.partial === spec.partial,
  );
  if (byKey) throw new CommandError(85, `Index already exists with a different name: ${byKey.stored.name}`);
  return undefined;
};

const createIndexes: Handler = async (engine, request) => {
  const { namespace } = request;
  const source = request.value('indexes');
  if (source?.type !== T.array)
    throw new CommandError(14, "BSON field 'createIndexes.indexes' must be an array");
  const specs = valuesOf(source).map(indexSpec);
  if (specs.length === 0) throw badValue('Must specify at least one index to create');
  const existed = engine.catalog.find(namespace) !== undefined;
  let before = 1;
  const built: Index[] = [];
  for (const spec of specs) {
    const { collection, index, isNew } = await change(engine, request, () => {
      const found = engine.catalog.findOrCreate(namespace);
      const existing = existingIndex(found, spec);
      if (spec === specs[0]) before = found.indexes.length;
      return { collection: found, index: existing ?? engine.catalog.addIndex(found, spec), isNew: !existing };
    });
    if (!isNew) continue;
    built.push(index);
    try {
      await build(engine, request, collection, index);
    } catch (error) {
      // All or nothing, as on a real server.
      await change(engine, request, () =>
        built.forEach((each) => engine.catalog.dropIndex(collection, each)),
      );
      engine.purge();
      throw error;
    }
  }
  return bsonOf({
    numIndexesBefore: before,
    numIndexesAfter: before + built.length,
    createdCollectionAutomatically: !existed,
    ...(built.length === 0 ? { note: 'all indexes already exist' } : {}),
    ...OK,
  });
};

/** Fills a new index in small steps; writes that come in between keep it up themselves. */
const build = async (
  engine: Engine,
  request: Request,
  collection: Collection,
  index: Index,
): Promise<void> => {
  if (!index.stored.building) return;
  let after: Buffer | undefined;
  do {
    after = await change(engine, request, () => collection.buildEntries(index, after, BUILD_CHUNK));
    await breathe();
  } while (after && collection.alive);
  await change(engine, request, () => engine.catalog.finishIndex(index));
};

const dropIndexes: Handler = async (engine, request) => {
  const which = request.value('index');
  const nIndexes = await change(engine, request, () => {
    const collection = engine.catalog.find(request.namespace);
    if (!collection) throw new CommandError(26, `ns not found ${request.namespace}`);
    const before = collection.indexes.length;
    for (const index of chosenIndexes(collection, which)) engine.catalog.dropIndex(collection, index);
    return before;
  });
  engine.purge();
  return bsonOf({ nIndexesWas: nIndexes, ...OK });
};

const chosenIndexes = (collection: Collection, which: Value | undefined): Index[] => {
  const others = collection.indexes.slice(1);
  if (which?.type === T.array) return valuesOf(which).flatMap((item) => chosenIndexes(collection, item));
  if (which && isText(which.type)) {
    const name = textOf(which);
    if (name === '*') return others;
    if (name === '_id_') throw new CommandError(72, 'cannot drop _id index');
    const found = others.find((index) => index.stored.name === name);
    if (!found) throw new CommandError(27, `index not found with name [${name}]`);
    return [found];
  }
  if (which?.type !== T.object)
    throw new CommandError(14, "BSON field 'dropIndexes.index' is the wrong type");
  const key = entriesOf(which).map(([path, direction]): [string, 1 | -1] => [
    path,
    directionOf(path, direction),
  ]);
  if (JSON.stringify(key) === '[["_id",1]]') throw new CommandError(72, 'cannot drop _id index');
  const found = others.find((index) => JSON.stringify(index.stored.key) === JSON.stringify(key));
  if (!found)
    throw new CommandError(27, `can't find index with key: ${JSON.stringify(Object.fromEntries(key))}`);
  return [found];
};

const compact: Handler = async (engine) => {
  await engine.compact();
  return bsonOf({ bytesFreed: 0, ...OK });
};

const noTransactions: Handler = () => {
  throw new CommandError(20, 'Transaction numbers are only allowed on a replica set member or mongos');
};

export const adminCommands: Readonly<Record<string, Handler>> = {
  hello,
  ismaster: hello,
  isMaster: hello,
  ping: acknowledged,
  endSessions: acknowledged,
  killSessions: acknowledged,
  refreshSessions: acknowledged,
  buildInfo,
  buildinfo: buildInfo,
  serverStatus,
  getParameter,
  create,
  drop,
  dropDatabase,
  renameCollection,
  listCollections,
  listDatabases,
  listIndexes,
  createIndexes,
  dropIndexes,
  deleteIndexes: dropIndexes,
  compact,
  commitTransaction: noTransactions,
  abortTransaction: noTransactions,
};
