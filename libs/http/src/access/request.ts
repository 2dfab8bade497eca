import type { Actor, CommandContext } from '@app/kernel';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** A request as it stands behind the access guard. */
export type HttpRequest = FastifyRequest & {
  /** Absent on public routes. */
  actor?: Actor;
  /** Set by the guard; see @Context(). */
  commandContext?: () => CommandContext;
};

export type HttpReply = FastifyReply;
