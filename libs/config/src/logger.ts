import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';
import type { LoggerService } from '@nestjs/common';
import type { LogLevel } from './config';

export type { Logger } from 'pino';

const CAUSES_MAX = 3;

/**
 * JSON lines on standard output. Nothing personal gets in by accident: an error is logged by its type, message and stack
 * frames only, since drivers hang whole documents on theirs, and quote values in messages that come from the server.
 * Callers log ids, counts and positions, never payloads.
 */
export const createLogger = (app: string, level: LogLevel, destination?: DestinationStream): Logger =>
  pino(
    {
      level,
      base: { app },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
    },
    destination ?? pino.destination({ fd: 1, sync: true }),
  );

/** Where the framework tells of every module and route at a start: for those who look for it. */
const START_UP: ReadonlySet<unknown> = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/** Nest's own log lines, through the same logger. */
export const nestLogger = (logger: Logger): LoggerService => {
  const line =
    (write: (fields: object, text: string) => void) =>
    (message: unknown, ...rest: unknown[]) => {
      const context = rest.at(-1);
      const fields = typeof context === 'string' ? { context } : {};
      if (message instanceof Error) write({ ...fields, err: message }, message.constructor.name);
      else write(fields, String(message));
    };
  return {
    fatal: line(logger.fatal.bind(logger)),
    error: line(logger.error.bind(logger)),
    warn: line(logger.warn.bind(logger)),
    log: (message: unknown, ...rest: unknown[]) =>
      line((START_UP.has(rest.at(-1)) ? logger.debug : logger.info).bind(logger))(message, ...rest),
    debug: line(logger.debug.bind(logger)),
    verbose: line(logger.trace.bind(logger)),
  };
};

type ErrorDescription = {
  type: string;
  message?: string;
  code?: string;
  frames?: string[];
  cause?: ErrorDescription;
};

const describeError = (error: unknown, depth = 0): ErrorDescription => {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code } = error as { code?: unknown };
  const described: ErrorDescription = { type: error.constructor.name };
  if (!quotesDocuments(error)) described.message = error.message;
  if (code !== undefined) described.code = String(code);
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  if (frames.length > 0) described.frames = frames.map((frame) => frame.trim());
  if (error.cause !== undefined && depth < CAUSES_MAX)
    described.cause = describeError(error.cause, depth + 1);
  return described;
};

/** What a MongoDB server answers may quote the document or the key it refused. */
const quotesDocuments = ({ name }: Error): boolean =>
  /^Mongo(Server|BulkWrite|WriteConcern)Error$/.test(name);
