import { Injectable, type OnModuleInit, type Type } from '@nestjs/common';
import { PATH_METADATA } from '@nestjs/common/constants';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { RoutePlan } from './request';
import { routePlanOf, UndeclaredAccessError } from './route-plan';

export type DeclaredRoute = Readonly<{ controller: Type; method: string; plan: RoutePlan }>;

/** Stops the start of a process that has a route which does not say who may call it. */
@Injectable()
export class DeclaredAccessCheck implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  onModuleInit(): void {
    this.routes();
  }

  /** Every route with what it declares. Throws UndeclaredAccessError with all that declare nothing. */
  routes(): readonly DeclaredRoute[] {
    const undeclared: string[] = [];
    const routes: DeclaredRoute[] = [];
    for (const { metatype } of this.discovery.getControllers()) {
      const controller = metatype as Type;
      const prototype = controller.prototype as Record<string, (...args: never[]) => unknown>;
      for (const method of this.scanner.getAllMethodNames(prototype)) {
        const handler = prototype[method]!;
        if (!Reflect.hasMetadata(PATH_METADATA, handler)) continue;
        try {
          routes.push({ controller, method, plan: routePlanOf(controller, handler) });
        } catch (error) {
          if (!(error instanceof UndeclaredAccessError)) throw error;
          undeclared.push(...error.routes);
        }
      }
    }
    if (undeclared.length > 0) throw new UndeclaredAccessError(undeclared);
    return routes;
  }
}
