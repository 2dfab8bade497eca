import type { Type } from '@nestjs/common';
import { PARAMTYPES_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants';
import { RouteParamtypes } from '@nestjs/common/internal';
import { ACCESS_RULE, PUBLIC_ROUTE, type AccessRule } from './access.decorator';
import type { RoutePlan } from './request';
import { LOCATION } from '../command/outcome-answer';
import { fieldNamesOf } from '../input/dto.pipe';
import type { DtoClass } from '../input/field';
import { QUERY_NAMES } from '../input/min-position';

/** A route that says neither who may call it nor that everybody may. */
export class UndeclaredAccessError extends Error {
  constructor(readonly routes: readonly string[]) {
    super(`Routes declare neither @Access nor @Public: ${routes.join(', ')}.`);
  }
}

type Handler = (...args: never[]) => unknown;

/** Reads a route's decorators. Throws UndeclaredAccessError. */
export const routePlanOf = (controller: Type, handler: Handler): RoutePlan => {
  const access = Reflect.getMetadata(ACCESS_RULE, handler) as AccessRule | undefined;
  const isPublic = Reflect.getMetadata(PUBLIC_ROUTE, handler) === true;
  if ((access === undefined) === !isPublic)
    throw new UndeclaredAccessError([`${controller.name}.${handler.name}`]);
  const location = Reflect.getMetadata(LOCATION, handler) as string | undefined;
  const args = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, handler.name) ?? {}) as RouteArguments;
  return {
    access: access ?? null,
    queryNames: new Set(queryNamesOf(controller, handler.name, args)),
    ...(location === undefined ? {} : { location }),
    takesBody: Object.keys(args).some((key) => key.startsWith(`${RouteParamtypes.BODY}:`)),
  };
};

type RouteArguments = Readonly<Record<string, Readonly<{ index: number; data?: unknown }>>>;

const queryNamesOf = (controller: Type, method: string, args: RouteArguments): readonly string[] => {
  const prototype = controller.prototype as object;
  const types = (Reflect.getMetadata(PARAMTYPES_METADATA, prototype, method) ?? []) as readonly DtoClass[];
  const names = (Reflect.getMetadata(QUERY_NAMES, prototype, method) ?? []) as readonly string[];
  return Object.entries(args)
    .filter(([key]) => key.startsWith(`${RouteParamtypes.QUERY}:`))
    .flatMap(([, { index, data }]) => (typeof data === 'string' ? [data] : fieldNamesOf(types[index]!)))
    .concat(names);
};
