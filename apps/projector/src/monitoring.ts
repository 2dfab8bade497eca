import { createServer, type Server, type ServerResponse } from 'node:http';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { RunnerState } from '@app/read-store';

/** How far the read models are. Positions as text, since they do not fit a number. */
export type ProjectorStatus = Readonly<{
  state: RunnerState;
  position: string;
  /** Position of the newest event; null: the event store does not answer. */
  head: string | null;
  /** Positions between the two; they are byte offsets on some servers, so more than 0 is what counts. */
  lag: string | null;
  eventsCount: number;
  error?: string;
}>;

/**
 * `/health/live`, `/health/ready` (503 unless it is running and both stores answer) and `/metrics` on a port of their own.
 * Resolves when it listens.
 */
export const startMonitoring = async (
  host: string,
  port: number,
  status: () => Promise<ProjectorStatus>,
): Promise<Server> => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, value: (status: ProjectorStatus) => number | null): void => {
    const measured: Gauge = new Gauge({
      name,
      help,
      registers: [registry],
      collect: async () => void measured.set(value(await status()) ?? Number.NaN),
    });
  };
  gauge('regulars_projector_lag_positions', 'How far the slowest read model is behind the log.', ({ lag }) =>
    lag === null ? null : Number(lag),
  );
  gauge('regulars_projector_events', 'Events folded since the start.', ({ eventsCount }) => eventsCount);
  gauge('regulars_projector_running', '1 while it follows the log.', ({ state }) =>
    state === 'running' ? 1 : 0,
  );
  const server = createServer((request, response) => {
    const path = request.method === 'GET' ? request.url?.split('?', 1)[0] : undefined;
    answer(path, response).catch(() => send(response, 500, 'text/plain', ''));
  });
  const answer = async (path: string | undefined, response: ServerResponse): Promise<void> => {
    switch (path) {
      case '/health/live':
        return send(response, 200, 'application/json', '{"status":"up"}');
      case '/health/ready': {
        const now = await status();
        const ready = now.state === 'running' && now.head !== null;
        return send(response, ready ? 200 : 503, 'application/json', JSON.stringify(now));
      }
      case '/metrics':
        return send(response, 200, registry.contentType, await registry.metrics());
      default:
        return send(response, 404, 'text/plain', '');
    }
  };
  server.listen(port, host);
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(`PROJECTOR_PORT ${port} of ${host} cannot be used (${error.code}).`)),
    );
  });
  return server;
};

const send = (response: ServerResponse, status: number, type: string, body: string): void => {
  response.writeHead(status, { 'content-type': type }).end(body);
};
