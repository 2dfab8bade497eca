import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { StaleRevisionError, UnknownOutcomeError } from '@app/event-store';
import { DomainError, type DomainErrorKind } from '@app/kernel';
import { HttpProblem, type Problem } from './problem';

const TYPE_BASE = 'https://regulars.dev/problems/';
const RETRY_AFTER_S = '1';

const STATUS_OF: Readonly<Record<DomainErrorKind, number>> = {
  invalid: 422,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  gone: 410,
  unavailable: 503,
};

/** What a client is told of errors that fastify or the framework throw, by status: their own messages may quote the request. */
const PLAIN: Readonly<Record<number, readonly [code: string, detail: string]>> = {
  400: ['bad-request', 'The request is malformed.'],
  404: ['route-not-found', 'There is nothing at this path; see /docs.'],
  408: ['request-timeout', 'The request did not arrive in time.'],
  413: ['body-too-large', 'The body is larger than this route takes (1 MiB).'],
  414: ['uri-too-long', 'The path or one of its parameters is too long.'],
  415: ['unsupported-media-type', 'Send the body as application/json.'],
  429: ['too-many-requests', 'Too many requests with this key; see Retry-After.'],
  431: ['headers-too-large', 'The headers are too large.'],
  503: ['timeout', 'The request could not be answered in time; the same request may be sent again.'],
};

/** The HTTP answer that an error stands for. Unknown errors are a 500 that tells nothing. */
export const httpProblemOf = (error: unknown): HttpProblem => {
  if (error instanceof HttpProblem) return error;
  if (error instanceof DomainError) return ofDomain(error);
  if (error instanceof StaleRevisionError) {
    return new HttpProblem(
      412,
      'stale-revision',
      'If-Match names another revision than the current one; read again.',
    );
  }
  if (error instanceof UnknownOutcomeError) {
    return new HttpProblem(
      503,
      'outcome-unknown',
      'Whether this was recorded is not known yet; send it again with the same Idempotency-Key.',
    );
  }
  // What the framework wraps keeps the original as its cause: problems of our own that fastify handed on, for one.
  if (error instanceof HttpException && error.cause instanceof HttpProblem) return error.cause;
  const status = statusOf(error);
  const [code, detail] =
    PLAIN[status] ?? (status < 500 ? PLAIN[400]! : ['internal', 'Something failed on our side.']);
  return new HttpProblem(PLAIN[status] || status < 500 ? status : 500, code, detail);
};

const statusOf = (error: unknown): number => {
  if (error instanceof HttpException) return error.getStatus();
  const { statusCode } = (error ?? {}) as { statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 600 ? statusCode : 500;
};

const ofDomain = (error: DomainError): HttpProblem => {
  const { code, kind, message, pointer, details } = error;
  return new HttpProblem(STATUS_OF[kind], code, message, {
    ...(pointer === undefined ? {} : { errors: [{ pointer, code, detail: message }] }),
    ...(details === undefined ? {} : { members: details }),
  });
};

export type ProblemAnswer = Readonly<{ headers: Readonly<Record<string, string>>; body: Problem }>;

/** The document and the headers that a problem is sent with. `path` may hold a query; it is left out. */
export const problemAnswer = (problem: HttpProblem, path: string, requestId: string): ProblemAnswer => {
  const { status, code, detail, extra } = problem;
  return {
    headers: {
      ...(status === 503 || status === 429 ? { 'Retry-After': RETRY_AFTER_S } : {}),
      ...extra.headers,
      'Content-Type': 'application/problem+json; charset=utf-8',
      'Cache-Control': 'no-store',
    },
    body: {
      ...extra.members,
      type: TYPE_BASE + code.replaceAll('.', '/'),
      title: STATUS_CODES[status] ?? 'Error',
      status,
      detail,
      instance: path.split('?', 1)[0]!,
      code,
      requestId,
      ...(extra.errors ? { errors: extra.errors } : {}),
    },
  };
};
