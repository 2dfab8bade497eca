import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Somebody else has the folder open. */
export class FolderLockedError extends Error {}

/*
 * The lock is a socket named after the folder. The system frees it whenever its owner ends, however it ends, so there
 * is no stale lock to judge; and it excludes threads of one process as well as other processes.
 */
const socketPath = (folder: string): string => {
  const { dev, ino } = statSync(folder);
  const name = `regulars-events-${createHash('sha256').update(`${dev}:${ino}`).digest('hex').slice(0, 24)}`;
  if (process.platform === 'linux') return `\0${name}`;
  if (process.platform === 'win32') return `\\\\.\\pipe\\${name}`;
  return join(tmpdir(), `${name}.sock`);
};

const listen = (path: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen(path, () => resolve(server.unref()));
  });

const isAlive = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

/**
 * Creates the folder if need be and takes it for this process and thread. Returns the function that gives it back.
 * Throws FolderLockedError while somebody else has it, and the system's error where it cannot be created.
 */
export const lockFolder = async (folder: string): Promise<() => Promise<void>> => {
  mkdirSync(folder, { recursive: true });
  const path = socketPath(folder);
  const attempt = async (mayRemove: boolean): Promise<Server> => {
    try {
      return await listen(path);
    } catch (error) {
      // Where sockets are files, the file outlives its owner.
      const isFile = !path.startsWith('\0') && process.platform !== 'win32';
      if (!mayRemove || !isFile || (await isAlive(path))) {
        throw new FolderLockedError(`The event store folder ${folder} is in use by another process.`, {
          cause: error,
        });
      }
      rmSync(path, { force: true });
      return attempt(false);
    }
  };
  const server = await attempt(true);
  return () => new Promise((resolve) => server.close(() => resolve()));
};
