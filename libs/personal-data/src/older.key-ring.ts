import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { open } from 'lmdb';
import { KeyRingSetupError } from './key-ring.errors';
import type { KeyStore } from './key-store.port';

const DESTROYED = 2;
const GENERATION = 'generation';
const SYSTEM_SECRET = 'system-secret';

/**
 * Takes over the one file in which the first version of this software kept its keys, and removes it with whatever its
 * free pages still hold. Throws KeyRingSetupError.
 */
export const importOlderKeyRing = async (folder: string, store: KeyStore): Promise<void> => {
  const path = join(folder, 'keys.mdb');
  if (!existsSync(path)) return;
  try {
    const older = open<Buffer, string>({ path, encoding: 'binary', readOnly: true });
    for (const { key, value } of older.getRange()) {
      if (key === GENERATION) continue;
      if (key === SYSTEM_SECRET) await store.create(key, { kek: 1, wrapped: Buffer.from(value) });
      else if (value[0] === DESTROYED) await store.destroy(key, value.readDoubleBE(1));
      else await store.create(key, { kek: 1, wrapped: Buffer.from(value.subarray(1)) });
    }
    await older.close();
    for (const name of [path, `${path}-lock`]) await rm(name, { force: true });
  } catch (error) {
    await store.close();
    throw new KeyRingSetupError(`Cannot take over ${path}.`, { cause: error });
  }
};
