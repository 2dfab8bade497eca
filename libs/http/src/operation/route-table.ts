import type { FastifyInstance } from 'fastify';

/** The routes of the application, to tell a wrong method from a wrong path. */
export class RouteTable {
  private readonly routes: { method: string; segments: readonly string[] }[] = [];

  /** Notes every route that is added from now on. */
  watch(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', ({ method, url }) => {
      const methods = Array.isArray(method) ? method : [method];
      for (const name of methods) this.routes.push({ method: name, segments: url.split('/') });
    });
  }

  /** The methods that a path takes; none where there is no such path. */
  methodsAt(path: string): readonly string[] {
    const segments = path.split('/');
    const matching = this.routes.filter(
      (route) =>
        route.segments.length === segments.length &&
        route.segments.every((segment, at) => segment.startsWith(':') || segment === segments[at]),
    );
    return [...new Set(matching.map(({ method }) => method))].sort();
  }
}
