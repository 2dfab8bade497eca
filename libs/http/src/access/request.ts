import type { Actor, CommandContext } from '@app/kernel';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RoutePlan } from './route-plan';

/** A request as it stands behind the access guard. */
export type HttpRequest = FastifyRequest & {
  /** Absent on public routes. */
  actor?: Actor;
  /** Set by the guard; see @Context(). */
  commandContext?: () => CommandContext;
  /** Set by the guard. */
  plan?: RoutePlan;
  /** The answer is that of an earlier, identical command. */
  replayed?: boolean;
};

export type HttpReply = FastifyReply;
