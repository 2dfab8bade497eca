import { createServer, Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { dispatch } from './commands/dispatch';
import { Engine } from './commands/engine';
import { serveConnection } from './wire/connection';

/** What the thread is told when it starts. */
export type ServerOptions = Readonly<{ dataDir: string; port: number }>;

export type ServerRequest = Readonly<{ id: number; action: 'compact' | 'close' }>;

export type ServerReply =
  | Readonly<{ kind: 'listening'; port: number }>
  | Readonly<{ kind: 'refused'; code: string; message: string }>
  | Readonly<{ kind: 'done'; id: number; error?: string }>;

const HOST = '127.0.0.1';
const CONNECTIONS_MAX = 1_000;
const IDLE_CHECK_MS = 60_000;

const run = async ({ dataDir, port }: ServerOptions): Promise<void> => {
  const tell = (reply: ServerReply): void => parentPort!.postMessage(reply);
  let engine: Engine;
  try {
    engine = await Engine.open(dataDir);
  } catch (error) {
    tell({
      kind: 'refused',
      code: 'data-dir-unwritable',
      message: `The data folder ${dataDir} cannot be opened: ${(error as Error).message}`,
    });
    parentPort!.close();
    return;
  }
  const sockets = new Set<Socket>();
  let running = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveConnection(socket, async (message) => {
      running += 1;
      try {
        return await dispatch(engine, message);
      } finally {
        running -= 1;
      }
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  const idleCheck = setInterval(() => {
    engine.cursors.dropIdle();
    void engine.expire();
  }, IDLE_CHECK_MS);

  const close = async (): Promise<void> => {
    clearInterval(idleCheck);
    server.close();
    for (const socket of sockets) socket.pause();
    while (running > 0) await new Promise((resolve) => setImmediate(resolve));
    for (const socket of sockets) socket.destroy();
    await engine.close();
  };

  server.on('error', (error: NodeJS.ErrnoException) => {
    const isTaken = error.code === 'EADDRINUSE' || error.code === 'EACCES';
    tell({
      kind: 'refused',
      code: isTaken ? 'port-taken' : 'failed',
      message: isTaken ? `Port ${port} on ${HOST} is taken.` : error.message,
    });
    void close().finally(() => parentPort!.close());
  });
  server.listen(port, HOST, () => {
    const address = server.address();
    tell({ kind: 'listening', port: typeof address === 'object' && address ? address.port : port });
  });
  parentPort!.on('message', (request: ServerRequest) => {
    const work = request.action === 'compact' ? engine.compact() : close();
    work
      .then(
        () => tell({ kind: 'done', id: request.id }),
        (error: Error) => tell({ kind: 'done', id: request.id, error: error.message }),
      )
      .finally(() => void (request.action === 'close' && parentPort!.close()));
  });
};

void run(workerData as ServerOptions);
