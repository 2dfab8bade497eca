import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { CommandContext } from '@app/kernel';
import type { HttpRequest } from '../access/request';

/**
 * The CommandContext of the request: command id from Idempotency-Key, revision from If-Match, actor, on-behalf-of,
 * purpose, correlation id, instant and deadline. Throws a 400 problem where one of the headers is malformed.
 */
export const Context = createParamDecorator((_: unknown, context: ExecutionContext): CommandContext => {
  const { commandContext } = context.switchToHttp().getRequest<HttpRequest>();
  if (commandContext === undefined) throw new Error('A command route must declare @Access.');
  return commandContext();
});
