import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KeyRingFolderError } from './key-ring.errors';

const FILE_NAME = 'master.key';
const KEY_SIZE = 32;

/** The key-encryption key of a local key ring, base64url in a file of mode 0600; null where there is none yet. */
export const readMasterKey = async (folder: string): Promise<Buffer | null> => {
  const path = join(folder, FILE_NAME);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new KeyRingFolderError(`Cannot read ${path}.`, { cause: error });
  }
  const key = Buffer.from(text.trim(), 'base64url');
  if (key.length !== KEY_SIZE)
    throw new KeyRingFolderError(`${path} does not hold a key of ${KEY_SIZE} bytes.`);
  return key;
};

/** Creates the file, whole and on disk, or reads the one that another process was faster to create. */
export const createMasterKey = async (folder: string): Promise<Buffer> => {
  const path = join(folder, FILE_NAME);
  const draft = join(folder, `${FILE_NAME}.${randomBytes(6).toString('hex')}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(`${randomBytes(KEY_SIZE).toString('base64url')}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    // A link appears whole or not at all, and fails where the name is taken: a rename would replace the winner's key.
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    await syncFolder(folder);
  } catch (error) {
    throw new KeyRingFolderError(`Cannot create ${path}.`, { cause: error });
  } finally {
    await rm(draft, { force: true });
  }
  const key = await readMasterKey(folder);
  if (key === null) throw new KeyRingFolderError(`${path} vanished while it was created.`);
  return key;
};

/** Makes a new name in the folder durable; Windows cannot open a folder and needs it less. */
const syncFolder = async (folder: string): Promise<void> => {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
