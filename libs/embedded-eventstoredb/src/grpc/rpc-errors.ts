import { Metadata, type ServerErrorResponse, status } from '@grpc/grpc-js';
import type { ExpectedRevision } from '../engine/append-decision';
import { LogCorruptError } from '../log/segment-file';
import { LogFailedError } from '../log/segmented-log';

/** An answer that is a gRPC status, with the trailers by which the client tells its error classes apart. */
export class RpcError extends Error implements ServerErrorResponse {
  readonly metadata = new Metadata();

  constructor(
    readonly code: status,
    message: string,
    trailers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    // Header values are ASCII; a name that is not travels percent-encoded.
    for (const [key, value] of Object.entries(trailers)) {
      this.metadata.set(key, /^[ -~]*$/.test(value) ? value : encodeURIComponent(value));
    }
  }

  get details(): string {
    return this.message;
  }
}

const EXPECTED_NUMBERS = { any: '-2', no_stream: '-1', stream_exists: '-4' } as const;

/** The text of an expected revision in messages and trailers. */
export const expectedText = (expected: ExpectedRevision): string =>
  typeof expected === 'bigint' ? expected.toString() : EXPECTED_NUMBERS[expected];

export const streamDeleted = (stream: string): RpcError =>
  new RpcError(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  });

export const wrongRevision = (stream: string, expected: ExpectedRevision, actual: number): RpcError =>
  new RpcError(
    status.FAILED_PRECONDITION,
    `Stream '${stream}' is not at the expected version ${expectedText(expected)}, but at ${actual}.`,
    {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': expectedText(expected),
      'actual-version': String(actual),
    },
  );

/** The trailer names all that an event must have, not only what this one lacks. */
export const missingMetadata = (): RpcError =>
  new RpcError(status.INVALID_ARGUMENT, 'A required metadata property is missing.', {
    exception: 'missing-required-metadata-property',
    'required-metadata-properties': 'type,content-type',
  });

export const appendTooLarge = (max: number): RpcError =>
  new RpcError(status.INVALID_ARGUMENT, `Maximum append size of ${max} exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(max),
  });

export const invalidArgument = (message: string): RpcError => new RpcError(status.INVALID_ARGUMENT, message);

/** What EventStoreDB answers to values that its own types refuse. */
export const unknown = (message: string): RpcError => new RpcError(status.UNKNOWN, message);

export const unimplemented = (what: string): RpcError =>
  new RpcError(status.UNIMPLEMENTED, `The embedded event store does not offer ${what}.`);

export const shuttingDown = (): RpcError =>
  new RpcError(status.UNAVAILABLE, 'The event store is shutting down.');

/** The status for whatever went wrong while a call was served. */
export const toRpcError = (error: unknown): RpcError => {
  if (error instanceof RpcError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof LogFailedError) return new RpcError(status.UNAVAILABLE, message);
  if (error instanceof LogCorruptError) return new RpcError(status.DATA_LOSS, message);
  return new RpcError(status.INTERNAL, message);
};
