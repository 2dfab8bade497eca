import { BSON, Collection, Document, MongoBulkWriteError, MongoServerError } from 'mongodb';
import { Operation } from './document-store.generators';

const { EJSON } = BSON;

const text = (value: unknown): string => EJSON.stringify(value as Document, { relaxed: false });

/** What a server says to an operation, as text: results by BSON type, errors by code. */
export const answerOf = async (collection: Collection<Document>, operation: Operation): Promise<string> => {
  try {
    return text(await run(collection, operation));
  } catch (error) {
    if (error instanceof MongoBulkWriteError) {
      const errors = [error.writeErrors].flat().map(({ code, index }) => ({ code, index }));
      return text({ errors, inserted: error.insertedCount });
    }
    if (error instanceof MongoServerError)
      return text({ error: isOfMany(operation) ? 'one of many' : error.code });
    throw error;
  }
};

/** Which of the documents is refused first depends on the order in which they are met, and so does the code. */
const isOfMany = (operation: Operation): boolean => operation.kind === 'update' && operation.many;

/** Arrays in two sorted fields are refused, unless there is only one document to sort: servers tell that differently. */
export const isUnsettled = (operation: Operation, answers: readonly string[]): boolean =>
  operation.kind === 'find' &&
  text(operation.filter).includes('"_id"') &&
  answers.some((answer) => answer === SORT_REFUSED);

const SORT_REFUSED = text({ error: 2 });

const run = async (collection: Collection<Document>, operation: Operation): Promise<unknown> => {
  switch (operation.kind) {
    case 'insert':
      return collection.insertMany(operation.documents, { ordered: operation.ordered });
    case 'update': {
      const { filter, update, many, upsert } = operation;
      return many ? collection.updateMany(filter, update) : collection.updateOne(filter, update, { upsert });
    }
    case 'replace':
      return collection.replaceOne(operation.filter, operation.replacement, { upsert: operation.upsert });
    case 'delete':
      return collection.deleteMany(operation.filter);
    case 'find': {
      const { filter, sort, projection, skip, limit, batchSize } = operation;
      return collection.find(filter, { projection, skip, limit, batchSize }).sort(new Map(sort)).toArray();
    }
    case 'modify': {
      const { filter, update, sort, after } = operation;
      return collection.findOneAndUpdate(filter, update, {
        sort: new Map(sort),
        returnDocument: after ? 'after' : 'before',
      });
    }
    case 'count':
      return collection.countDocuments(operation.filter);
    case 'distinct': {
      const values = await collection.distinct(operation.field, operation.filter);
      // A real server that finds the values in an index takes missing ones for null and empty arrays for undefined, and
      // which of several equal numbers stands for all is not set.
      const found = values.filter((value) => value !== null && value !== undefined);
      return found.map((value) => EJSON.stringify([value])).sort();
    }
    case 'aggregate': {
      const documents = await collection.aggregate(operation.pipeline).toArray();
      // Groups come in no set order.
      return operation.pipeline.some((stage) => '$group' in stage) ? documents.map(text).sort() : documents;
    }
    case 'index':
      return collection.createIndex(new Map(operation.key), {
        unique: operation.unique,
        sparse: operation.sparse,
      });
  }
};
