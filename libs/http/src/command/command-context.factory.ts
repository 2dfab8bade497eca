import { randomUUID } from 'node:crypto';
import type { Actor, Clock, CommandContext } from '@app/kernel';
import type { HttpRequest } from '../access/request';
import { networkOf } from '../access-log/network';
import { isSlug } from '../input/rules';
import { HttpProblem } from '../problem/problem';
import { commandIdOf, parseIdempotencyKey } from './idempotency-key';
import { parseIfMatch } from './if-match';

/** Commands are tried again until so long after their arrival; the request itself ends at 30 s. */
const COMMAND_TIME_MS = 25_000;

const slugHeader = (request: HttpRequest, name: string): string | undefined => {
  const value = request.headers[name];
  if (value === undefined || isSlug(value)) return value;
  throw new HttpProblem(
    400,
    'invalid-header',
    `${name} must be 1 to 64 characters of a-z, 0-9, "-", "_" and ".".`,
  );
};

/** Who looks or acts, besides the key: pseudonyms that go into event metadata. */
export type Claims = Readonly<{ onBehalfOf?: string; purpose?: string }>;

/** Reads Regulars-On-Behalf-Of and Regulars-Purpose. Throws a 400 problem on what is no slug. */
export const claimsOf = (request: HttpRequest): Claims => {
  const onBehalfOf = slugHeader(request, 'regulars-on-behalf-of');
  const purpose = slugHeader(request, 'regulars-purpose');
  return {
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    ...(purpose === undefined ? {} : { purpose }),
  };
};

/** Makes the CommandContext of a request; see @Context(). */
export class CommandContextFactory {
  private readonly secret: Buffer;

  constructor(
    secrets: Readonly<{ derive(label: string): Buffer }>,
    private readonly clock: Clock,
  ) {
    this.secret = secrets.derive('idempotency');
  }

  contextOf(request: HttpRequest, actor: Actor, claims: Claims): CommandContext {
    const access = request.plan?.access;
    const header = request.headers['idempotency-key'];
    const key = header === undefined ? undefined : parseIdempotencyKey(String(header));
    const ifMatch = request.headers['if-match'];
    const network = networkOf(request.ip);
    const expectedRevision = ifMatch === undefined ? undefined : parseIfMatch(ifMatch);
    return {
      commandId: key === undefined ? randomUUID() : this.repeatableId(request, actor, key),
      repeatable: key !== undefined,
      actor,
      ...claims,
      ...(access?.command === undefined ? {} : { command: { name: access.command, action: access.action } }),
      ...(network === undefined ? {} : { network }),
      correlationId: request.id,
      now: this.clock.now().toISOString(),
      // The system's clock, also where tests stop the other one: it is a bound on waiting.
      deadlineMs: Date.now() + COMMAND_TIME_MS,
      ...(expectedRevision === undefined ? {} : { expectedRevision }),
    };
  }

  private repeatableId(request: HttpRequest, actor: Actor, key: string): string {
    const params = request.params as Record<string, string>;
    const route = request.routeOptions.url ?? '';
    return commandIdOf({ clientId: actor.id, method: request.method, route, params, key }, this.secret);
  }
}
