import { SetMetadata } from '@nestjs/common';
import type { Outcome } from '@app/kernel';
import type { FastifyInstance } from 'fastify';
import type { HttpReply, HttpRequest } from '../access/request';

export const LOCATION = 'regulars:location';
/** Routes whose answers are one contact, whose stream's revision is its ETag. */
const CONTACT_ROUTES = '/v1/contacts';

/** The Location header of what a route created: a path with names of the answer's fields, `/v1/contacts/:contactId`. */
export const Location = (template: string): MethodDecorator => SetMetadata(LOCATION, template);

/**
 * Turns what commands end with into their HTTP answer, and puts the ETag on what is read of a contact. A hook of fastify: an
 * interceptor of Nest would send every request through observables, a tenth of the cost of a command.
 */
export const answerOutcomes = (fastify: FastifyInstance): void => {
  fastify.addHook('preSerialization', (request, reply, payload, done) => {
    done(null, answered(request as HttpRequest, reply, payload));
  });
};

const answered = (request: HttpRequest, reply: HttpReply, payload: unknown): unknown => {
  if (typeof payload !== 'object' || payload === null) return payload;
  const body = isOutcome(payload) ? answerOf(payload) : payload;
  const { revision } = body as { revision?: unknown };
  if (typeof revision === 'number' && request.routeOptions.url?.startsWith(CONTACT_ROUTES)) {
    reply.header('ETag', `"${revision}"`);
  }
  if (isOutcome(payload)) {
    request.replayed = payload.replayed;
    request.unchanged = payload.unchanged === true;
    if (payload.replayed) reply.header('Idempotency-Replayed', 'true');
    const template = request.plan?.location;
    if (template !== undefined) reply.header('Location', filled(template, body));
  }
  return body;
};

const isOutcome = (value: object): value is Outcome =>
  typeof (value as Outcome).position === 'bigint' && typeof (value as Outcome).answer === 'object';

const answerOf = ({ answer, revision, position }: Outcome): object => ({
  ...answer,
  revision,
  position: position.toString(),
});

const filled = (template: string, answer: object): string =>
  template.replace(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(String((answer as Record<string, unknown>)[name])),
  );
