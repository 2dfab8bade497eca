import { deserialize, type Document } from 'bson';
import { bsonOf } from '../bson/document-writer';
import { dispatch } from './dispatch';
import type { Engine } from './engine';

/** What an engine answers to a command, as a driver would have it. */
export const run = async (engine: Engine, command: Document): Promise<Document> =>
  deserialize(
    await dispatch(engine, {
      requestId: 1,
      kind: 'message',
      silent: false,
      body: bsonOf({ ...command, $db: 'test' }),
      sequences: new Map(),
      namespace: undefined,
    }),
  );
