import type { Actor, CommandContext } from '@app/kernel';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AccessRule } from './access.decorator';

/** What the guard checks on a route. Access null: declared public. */
export type RoutePlan = Readonly<{
  access: AccessRule | null;
  queryNames: ReadonlySet<string>;
  takesBody: boolean;
  /** See @Location. */
  location?: string;
}>;

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
  /** The command had nothing to record. */
  unchanged?: boolean;
  /** What the answer is a problem for. */
  failure?: unknown;
  /** Nothing more is to be recorded of it; see AccessRecorder. */
  accessRecorded?: boolean;
};

export type HttpReply = FastifyReply;
