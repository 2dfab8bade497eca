import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { HttpRequest } from '../access/request';

const BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Figures about the process for Prometheus; labels are route patterns and names of commands, never values. */
export class Metrics {
  readonly registry = new Registry();
  private readonly durations = new Histogram({
    name: 'regulars_http_request_duration_seconds',
    help: 'Time from request to answer, by route pattern.',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS_S,
    registers: [this.registry],
  });
  private readonly commands = new Counter({
    name: 'regulars_commands_total',
    help: 'Commands by name and outcome: done, replayed, refused or failed.',
    labelNames: ['command', 'outcome'],
    registers: [this.registry],
  });

  private readonly unauthenticated = new Counter({
    name: 'regulars_unauthenticated_requests_total',
    help: 'Requests without a key, or with one that does not count.',
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** A figure that is read when somebody asks for it. A reading that fails leaves the figure out. */
  gauge(name: string, help: string, read: () => Promise<number> | number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      async collect() {
        try {
          this.set(await read());
        } catch {
          this.reset();
        }
      },
    });
  }

  countUnauthenticated(): void {
    this.unauthenticated.inc();
  }

  /** Counts and times every answer. */
  observe(fastify: FastifyInstance): void {
    fastify.addHook('onResponse', (request, reply, done) => {
      const { method, routeOptions } = request;
      const status = reply.statusCode;
      this.durations.observe({ method, route: routeOptions.url ?? 'none', status }, reply.elapsedTime / 1000);
      const { plan, replayed } = request as HttpRequest;
      const command = plan?.access?.command;
      if (command !== undefined)
        this.commands.inc({ command, outcome: outcomeOf(status, replayed === true) });
      done();
    });
  }
}

const outcomeOf = (status: number, replayed: boolean): string => {
  if (status >= 500) return 'failed';
  if (status >= 400) return 'refused';
  return replayed ? 'replayed' : 'done';
};
