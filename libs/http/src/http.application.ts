import { createHash, randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import { RequestMethod, type DynamicModule, type LoggerService, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AccessRecorder } from './access-log/access-recorder';
import { answerOutcomes } from './command/outcome-answer';
import { acceptJsonOnly } from './input/json-body';
import { isUuid } from './input/rules';
import { serveOpenApi } from './openapi/serve';
import { Metrics } from './operation/metrics';
import { endOverdueRequests } from './operation/request-deadline';
import { RouteTable } from './operation/route-table';
import { HttpProblem } from './problem/problem';
import { httpProblemOf, problemAnswer } from './problem/problem-of';

export const BODY_BYTES_MAX = 1024 * 1024;
const REQUEST_TIME_MS = 30_000;
const PREFIX = 'v1';
const OUTSIDE_PREFIX = ['health/live', 'health/ready', 'metrics'];

export type HttpApplicationOptions = Readonly<{
  logger: LoggerService;
  /** Requests a minute that one key (one address, without a key) may send; no limit without it. */
  requestsPerMinute?: number;
  /** When a request is answered with 503 although its handler is still at work; default 30 s. Streams have no such end. */
  requestTimeMs?: number;
}>;

/**
 * Builds the application on fastify: routes under /v1, health and figures beside them, /openapi.json and /docs. `module`
 * must import HttpModule. It does not listen yet. Throws UndeclaredAccessError where a route declares no access.
 */
export const createHttpApplication = async (
  module: Type | DynamicModule,
  { logger, requestsPerMinute, requestTimeMs = REQUEST_TIME_MS }: HttpApplicationOptions,
): Promise<NestFastifyApplication> => {
  const adapter = new FastifyAdapter({
    // Nothing here uses Express middleware; without it every request is spared its dispatch.
    skipMiddie: true,
    multipart: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: requestTimeMs,
    routerOptions: { maxParamLength: 200 },
    // While closing, what still arrives on open connections is answered as always, and told to close.
    return503OnClosing: false,
    genReqId,
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      const problem = httpProblemOf(error);
      const { headers, body } = problemAnswer(problem, request.raw.url ?? '', request.id);
      void reply.code(problem.status).headers(headers).send(body);
    },
    clientErrorHandler: refuseUnreadable,
  });
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger,
    bodyParser: false,
    abortOnError: false,
  });
  const fastify = adapter.getInstance() as unknown as FastifyInstance;
  acceptJsonOnly(fastify);
  addCommonHeaders(fastify);
  answerOutcomes(fastify);
  app.get(AccessRecorder).observe(fastify);
  endOverdueRequests(fastify, requestTimeMs);
  app.get(Metrics).observe(fastify);
  app.get(RouteTable).watch(fastify);
  if (requestsPerMinute !== undefined) await limitRate(fastify, requestsPerMinute);
  app.setGlobalPrefix(PREFIX, {
    exclude: OUTSIDE_PREFIX.map((path) => ({ path, method: RequestMethod.GET })),
  });
  serveOpenApi(app);
  await app.init();
  await fastify.ready();
  return app;
};

/** A client may choose the id of its request, as a UUID: free text could hold personal values, and goes into the log. */
const genReqId = ({ headers }: { headers: Record<string, unknown> }): string => {
  const given = headers['x-request-id'];
  return isUuid(given) ? given.toLowerCase() : randomUUID();
};

const addCommonHeaders = (fastify: FastifyInstance): void => {
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header('X-Request-Id', request.id);
    reply.header('X-Content-Type-Options', 'nosniff');
    if (request.url.startsWith(`/${PREFIX}/`)) reply.header('Cache-Control', 'no-store');
    done();
  });
};

const limitRate = async (fastify: FastifyInstance, requestsPerMinute: number): Promise<void> => {
  await fastify.register(rateLimit, {
    max: requestsPerMinute,
    timeWindow: 60_000,
    cache: 10_000,
    enableDraftSpec: true,
    keyGenerator: ({ headers, ip }) =>
      headers.authorization === undefined
        ? ip
        : createHash('sha256').update(headers.authorization).digest('base64url'),
    errorResponseBuilder: (_, { max }) =>
      new HttpProblem(
        429,
        'too-many-requests',
        `This key may send ${max} requests a minute; see Retry-After.`,
      ),
  });
};

const UNREADABLE: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Answers what node's parser could not read as HTTP, and so never became a request. */
const refuseUnreadable = (error: Error & { code?: string }, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = httpProblemOf({ statusCode: UNREADABLE[error.code ?? ''] ?? 400 });
  const { headers, body } = problemAnswer(problem, '', randomUUID());
  const text = JSON.stringify(body);
  const lines = Object.entries({
    ...headers,
    'Content-Length': Buffer.byteLength(text),
    Connection: 'close',
  });
  socket.end(
    `HTTP/1.1 ${problem.status} ${body.title}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${text}`,
  );
};
