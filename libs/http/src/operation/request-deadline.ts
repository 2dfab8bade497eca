import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { httpProblemOf } from '../problem/problem-of';

const CHECKS_A_DEADLINE = 10;

/**
 * Answers with 503 what takes longer than `timeMs`; its handler goes on, and what it answers then is dropped. Streams have
 * begun to answer and are left alone. One timer for all: fastify's own makes an AbortController for every request,
 * which costs as much as validation does.
 */
export const endOverdueRequests = (fastify: FastifyInstance, timeMs: number): void => {
  const open = new Map<FastifyRequest, FastifyReply>();
  const check = (): void => {
    for (const [request, reply] of open) {
      // In order of arrival: behind the first that has time left, all have.
      if (reply.elapsedTime < timeMs) return;
      open.delete(request);
      if (!reply.sent && !reply.raw.headersSent) void reply.send(httpProblemOf({ statusCode: 503 }));
    }
  };
  const timer = setInterval(check, timeMs / CHECKS_A_DEADLINE).unref();
  fastify.addHook('onRequest', (request, reply, done) => {
    open.set(request, reply);
    done();
  });
  fastify.addHook('onResponse', (request, _reply, done) => {
    open.delete(request);
    done();
  });
  fastify.addHook('onClose', (_instance, done) => {
    clearInterval(timer);
    done();
  });
};
