import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Actor } from '@app/kernel';
import type { HttpRequest } from './request';

/** Who asks, by the key of the request; for reads whose answer depends on it. */
export const CurrentActor = createParamDecorator((_: unknown, context: ExecutionContext): Actor => {
  const { actor } = context.switchToHttp().getRequest<HttpRequest>();
  if (actor === undefined) throw new Error('A route that asks who calls must declare @Access.');
  return actor;
});
