import { startEmbeddedMongo } from '@app/embedded-mongodb';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { MongoClient } from 'mongodb';

/** A server to run the suite on. */
export type DocumentStoreServer = Readonly<{
  name: string;
  open: () => Promise<string>;
  close: () => Promise<void>;
}>;

const START_MS_MAX = 30_000;

const removed = (folder: string): void => rmSync(folder, { recursive: true, force: true });

export const embeddedServer = (): DocumentStoreServer => {
  let stop = async (): Promise<void> => undefined;
  return {
    name: 'embedded',
    open: async () => {
      const dataDir = mkdtempSync(join(tmpdir(), 'document-store-suite-'));
      const server = await startEmbeddedMongo({ dataDir });
      stop = async () => {
        await server.close();
        removed(dataDir);
      };
      return server.url;
    },
    close: () => stop(),
  };
};

const freePort = async (): Promise<number> => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
};

const spawned = (binary: string): DocumentStoreServer => {
  let stop = async (): Promise<void> => undefined;
  return {
    name: binary,
    open: async () => {
      const folder = mkdtempSync(join(tmpdir(), 'document-store-mongod-'));
      const port = await freePort();
      const args = ['--dbpath', folder, '--port', String(port), '--bind_ip', '127.0.0.1', '--nounixsocket'];
      const child = spawn(binary, args, { stdio: 'ignore' });
      const exited = once(child, 'exit');
      stop = async () => {
        child.kill('SIGTERM');
        await exited;
        removed(folder);
      };
      const url = `mongodb://127.0.0.1:${port}`;
      const client = await MongoClient.connect(url, { serverSelectionTimeoutMS: START_MS_MAX });
      await client.close();
      return url;
    },
    close: () => stop(),
  };
};

/** A real MongoDB to hold the embedded server against: `MONGODB_URL`, or a binary to start. */
export const realServer = (): DocumentStoreServer | undefined => {
  const url = process.env['MONGODB_URL'];
  if (url) return { name: url, open: () => Promise.resolve(url), close: () => Promise.resolve() };
  const binary = process.env['MONGOD_BINARY'] ?? resolve(__dirname, '../../../shared/bin/mongod');
  return existsSync(binary) ? spawned(binary) : undefined;
};
