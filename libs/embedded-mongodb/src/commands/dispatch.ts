import { Document } from 'bson';
import { CommandError, DuplicateKeyError } from '../command.error';
import { bsonOf, DocumentWriter } from '../bson/document-writer';
import { InvalidBsonError } from '../bson/raw-value';
import { Message } from '../wire/message';
import { adminCommands } from './admin.commands';
import { Engine, Handler } from './engine';
import { queryCommands } from './query.commands';
import { Request } from './request';
import { writeCommands } from './write.commands';

const HANDLERS: ReadonlyMap<string, Handler> = new Map(
  Object.entries({ ...adminCommands, ...queryCommands, ...writeCommands }),
);

/** Commands of a real server that are not on the list; others do not exist there either. */
const REFUSED: Readonly<Record<string, number>> = {
  mapReduce: 238,
  getLog: 238,
  validate: 238,
  collMod: 238,
};

/** Runs a command and answers with its result or its error, as a document. */
export const dispatch = async (engine: Engine, message: Message): Promise<Buffer> => {
  try {
    const request = new Request(message.body, message.sequences, message.namespace);
    const handler = HANDLERS.get(request.command);
    if (handler) return await handler(engine, request);
    throw new CommandError(
      Object.hasOwn(REFUSED, request.command) ? REFUSED[request.command]! : 59,
      `no such command: '${request.command}'`,
    );
  } catch (error) {
    return errorReply(error);
  }
};

const errorReply = (error: unknown): Buffer => {
  if (error instanceof DuplicateKeyError) {
    const writer = new DocumentWriter(256);
    const mark = writer.begin();
    writer.double('ok', 0);
    writer.string('errmsg', error.message);
    writer.int32('code', error.code);
    writer.string('codeName', error.codeName);
    writer.document('keyPattern', error.keyPattern);
    writer.document('keyValue', error.keyValue);
    writer.end(mark);
    return writer.take();
  }
  const known =
    error instanceof CommandError
      ? error
      : new CommandError(
          error instanceof InvalidBsonError ? 22 : 1,
          error instanceof Error ? error.message : String(error),
        );
  return bsonOf({
    ok: 0,
    errmsg: known.message,
    code: known.code,
    codeName: known.codeName,
  } satisfies Document);
};
