import { Injectable, type CanActivate, type ExecutionContext, type Type } from '@nestjs/common';
import type { Actor } from '@app/kernel';
import { CommandContextFactory, claimsOf } from '../command/command-context.factory';
import { refuseUnexpectedBody, refuseUnknownQuery } from '../input/dto.pipe';
import { HttpProblem } from '../problem/problem';
import { Authenticator } from './authenticator.port';
import type { HttpRequest, RoutePlan } from './request';
import { routePlanOf } from './route-plan';

const BEARER = /^Bearer +([\x21-\x7e]{1,512})$/i;

/** 401: no key, or none that counts. */
class UnauthenticatedProblem extends HttpProblem {
  constructor(detail: string, challenge: string) {
    super(401, 'unauthenticated', detail, {
      headers: { 'WWW-Authenticate': `Bearer realm="regulars"${challenge}` },
    });
  }
}

/**
 * Lets a request through to its route when its key stands for a role that the route names; then refuses parameters and
 * bodies that the route does not take. Leaves on the request who acts.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly plans = new Map<unknown, RoutePlan>();

  constructor(
    private readonly authenticator: Authenticator,
    private readonly contexts: CommandContextFactory,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<HttpRequest>();
    const plan = this.planOf(context.getClass(), context.getHandler() as (...args: never[]) => unknown);
    request.plan = plan;
    if (plan.access !== null) {
      const actor = await this.actorOf(request);
      request.actor = actor;
      if (actor.role !== 'admin' && !(plan.access.roles as readonly string[]).includes(actor.role)) {
        throw new HttpProblem(403, 'forbidden', `The role ${actor.role} may not do this.`);
      }
      const claims = claimsOf(request);
      request.commandContext = () => this.contexts.contextOf(request, actor, claims);
    }
    refuseUnknownQuery(request.query as Record<string, unknown>, plan.queryNames);
    if (!plan.takesBody) refuseUnexpectedBody(request.body);
    return true;
  }

  /** Whether the key that a request came with still counts, for the same role; also while nobody can tell. */
  async stillAdmits(request: HttpRequest): Promise<boolean> {
    if (request.actor === undefined) return true;
    try {
      const actor = await this.authenticator.authenticate(keyOf(request) ?? '');
      return actor?.id === request.actor.id && actor.role === request.actor.role;
    } catch {
      return true;
    }
  }

  private planOf(controller: Type, handler: (...args: never[]) => unknown): RoutePlan {
    const known = this.plans.get(handler);
    if (known) return known;
    const plan = routePlanOf(controller, handler);
    this.plans.set(handler, plan);
    return plan;
  }

  private async actorOf(request: HttpRequest): Promise<Actor> {
    const header = request.headers.authorization;
    if (header === undefined) {
      throw new UnauthenticatedProblem('Send an API key: Authorization: Bearer <key>.', '');
    }
    const key = keyOf(request);
    const actor = key === undefined ? null : await this.authenticator.authenticate(key);
    if (actor !== null) return actor;
    throw new UnauthenticatedProblem(
      'The API key is unknown, revoked or expired.',
      ', error="invalid_token"',
    );
  }
}

const keyOf = ({ headers }: HttpRequest): string | undefined => BEARER.exec(headers.authorization ?? '')?.[1];
