import { constants } from 'node:fs';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

const KEY = /^[!-~]{16,512}$/;

/** The key in a file, or null where there is none. Throws where the file holds something else. */
export const readAdminKeyFile = async (path: string): Promise<string | null> => {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const key = text.trim();
  if (!KEY.test(key)) throw new Error(`${path} holds no key; remove it, and the next start makes a new one.`);
  return key;
};

/** Writes the key for its owner's eyes only; on disk, whole, when it resolves. */
export const writeAdminKeyFile = async (path: string, key: string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  const unfinished = `${path}.new`;
  const file = await open(unfinished, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
  try {
    // The mode above counts only for a file that was not there.
    await file.chmod(0o600);
    await file.writeFile(`${key}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
};
