import { linkSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EmbeddedStoreError } from './embedded-store.error';

const FILE = 'documents.lock';

/** This machine's boot and this process's start: a number alone may be another process by now. */
const identityOf = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces; the start time is the 20th field after it.
    const startedAt = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${startedAt}`;
  } catch {
    return undefined;
  }
};

const isAlive = (holder: string): boolean => {
  const [pidText = '', ...identity] = holder.split(' ');
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const known = identityOf(pid);
  return known === undefined || identity.length === 0 || known === identity.join(' ');
};

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/**
 * Takes a data folder for this process alone, and returns what gives it back. A lock whose process is gone does not
 * count. Fails with `data-dir-locked` or `data-dir-unwritable`.
 */
export const lockDataDir = (dataDir: string): (() => void) => {
  const own = [process.pid, identityOf(process.pid)].filter((part) => part !== undefined).join(' ');
  try {
    mkdirSync(dataDir, { recursive: true });
    const folder = realpathSync(dataDir);
    const path = join(folder, FILE);
    const mine = `${path}.${process.pid}.${Date.now()}`;
    writeFileSync(mine, own);
    try {
      take(path, mine, dataDir);
    } finally {
      rmSync(mine, { force: true });
    }
    return () => {
      if (read(path) === own) rmSync(path, { force: true });
    };
  } catch (error) {
    if (error instanceof EmbeddedStoreError) throw error;
    throw new EmbeddedStoreError(
      'data-dir-unwritable',
      `The data folder ${dataDir} cannot be written: ${(error as Error).message}`,
    );
  }
};

const take = (path: string, mine: string, dataDir: string): void => {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      // A link appears with its content, or not at all.
      return linkSync(mine, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = read(path);
    if (holder === undefined) continue;
    if (isAlive(holder)) {
      throw new EmbeddedStoreError(
        'data-dir-locked',
        `The data folder ${dataDir} is in use by process ${holder.split(' ')[0]}.`,
      );
    }
    const stale = `${mine}.stale`;
    try {
      renameSync(path, stale);
    } catch {
      continue;
    }
    // Another process may have taken the folder between reading and moving: then it keeps it.
    if (read(stale) !== holder) linkSync(stale, path);
    rmSync(stale, { force: true });
  }
  throw new EmbeddedStoreError(
    'data-dir-locked',
    `The data folder ${dataDir} is being taken by another process.`,
  );
};
