import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { syncFolderNow } from './durable-files';

const FILE = 'store.running';
/** Clocks drift: where there is no boot id, boot times this close are one boot. */
const BOOT_SECONDS_TOLERANCE = 30;

type Boot = Readonly<{ id: string | null; bootedAtSeconds: number }>;

const thisBoot = (): Boot => {
  const bootedAtSeconds = Math.round(Date.now() / 1000 - uptime());
  try {
    return { id: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(), bootedAtSeconds };
  } catch {
    return { id: null, bootedAtSeconds };
  }
};

/**
 * Says whether the machine has gone down while the store was open. A killed process leaves its writes with the
 * operating system and does no harm; a machine that stops may leave the store's file torn.
 */
export const hasMachineGoneDown = (dataDir: string): boolean => {
  let mark: Boot;
  try {
    mark = JSON.parse(readFileSync(join(dataDir, FILE), 'utf8')) as Boot;
  } catch (error) {
    // No mark: closed in good order. One that cannot be read was being written when the machine stopped.
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
  const boot = thisBoot();
  if (boot.id !== null && mark.id !== null) return boot.id !== mark.id;
  return Math.abs(boot.bootedAtSeconds - mark.bootedAtSeconds) > BOOT_SECONDS_TOLERANCE;
};

/** To be on disk before the first write is. */
export const markRunning = (dataDir: string): void => {
  const file = openSync(join(dataDir, FILE), 'w');
  try {
    writeSync(file, JSON.stringify(thisBoot()));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  syncFolderNow(dataDir);
};

export const markClosed = (dataDir: string): void => {
  rmSync(join(dataDir, FILE), { force: true });
  syncFolderNow(dataDir);
};
