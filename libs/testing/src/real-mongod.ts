import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A MongoDB server of this machine's own, for as long as a suite runs. */
export type RunningMongod = Readonly<{ url: string; stop: () => Promise<void> }>;

const START_TIMEOUT_MS = 60_000;

/** Path of a real `mongod`: `MONGOD_BINARY`, or the one beside the repository; null where there is none. */
export const realMongod = (): string | null => {
  const path = process.env['MONGOD_BINARY'] ?? resolve(__dirname, '../../../../shared/bin/mongod');
  return existsSync(path) ? path : null;
};

/** Starts a real MongoDB server on loopback with an empty folder; `stop` ends it and removes the folder. */
export const startMongod = async (path: string): Promise<RunningMongod> => {
  const folder = await mkdtemp(join(tmpdir(), 'regulars-mongod-'));
  const port = await freePort();
  const flags = ['--dbpath', folder, '--port', String(port), '--bind_ip', '127.0.0.1', '--nounixsocket'];
  const child = spawn(path, [...flags, '--wiredTigerCacheSizeGB', '0.25'], { stdio: 'ignore' });
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  const deadlineMs = Date.now() + START_TIMEOUT_MS;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || Date.now() > deadlineMs) {
      await stop();
      throw new Error('mongod did not start.');
    }
    await sleep(50);
  }
  return { url: `mongodb://127.0.0.1:${port}/?directConnection=true`, stop };
};

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
};

const accepts = (port: number): Promise<boolean> =>
  new Promise((tried) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      tried(true);
    });
    socket.once('error', () => tried(false));
  });
