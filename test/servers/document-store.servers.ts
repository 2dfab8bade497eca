import { startEmbeddedMongo } from '@app/embedded-mongodb';
import { realMongod, startMongod } from '@app/testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A server to run the suite on. */
export type DocumentStoreServer = Readonly<{
  name: string;
  open: () => Promise<string>;
  close: () => Promise<void>;
}>;

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

const spawned = (binary: string): DocumentStoreServer => {
  let stop = async (): Promise<void> => undefined;
  return {
    name: binary,
    open: async () => {
      const server = await startMongod(binary);
      stop = server.stop;
      return server.url;
    },
    close: () => stop(),
  };
};

/** A real MongoDB to hold the embedded server against: `MONGODB_URL`, or a binary to start. */
export const realServer = (): DocumentStoreServer | undefined => {
  const url = process.env['MONGODB_URL'];
  if (url) return { name: url, open: () => Promise.resolve(url), close: () => Promise.resolve() };
  const binary = realMongod();
  return binary === null ? undefined : spawned(binary);
};
