import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KeyRingSetupError } from './key-ring.errors';
import { KEY_SIZE } from './key-wrapping';

/**
 * Versions of the key-encryption key, base64url in files of mode 0600: `<name>.key` is the first, `<name>-2.key` the
 * next one, and so on.
 */
export class MasterKeyFiles {
  constructor(
    private readonly folder: string,
    private readonly name: string,
  ) {}

  /** Null where there is no such file. Throws KeyRingSetupError. */
  async read(version: number): Promise<KeyObject | null> {
    const path = this.pathOf(version);
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw new KeyRingSetupError(`Cannot read ${path}.`, { cause: error });
    }
    const key = Buffer.from(text.trim(), 'base64url');
    if (key.length !== KEY_SIZE)
      throw new KeyRingSetupError(`${path} does not hold a key of ${KEY_SIZE} bytes.`);
    return createSecretKey(key);
  }

  /** Creates the file, whole and on disk, or reads the one that is there. Throws KeyRingSetupError. */
  async make(version: number): Promise<KeyObject> {
    const path = this.pathOf(version);
    const draft = `${path}.${randomBytes(6).toString('hex')}`;
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
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
      await this.syncFolder();
    } catch (error) {
      throw new KeyRingSetupError(`Cannot create ${path}.`, { cause: error });
    } finally {
      await rm(draft, { force: true });
    }
    const key = await this.read(version);
    if (key === null) throw new KeyRingSetupError(`${path} vanished while it was created.`);
    return key;
  }

  /** Overwrites and removes the file, if there is one. Throws KeyRingSetupError. */
  async destroy(version: number): Promise<void> {
    const path = this.pathOf(version);
    try {
      const file = await open(path, 'r+');
      try {
        const { size } = await file.stat();
        await file.write(Buffer.alloc(size), 0, size, 0);
        await file.sync();
      } finally {
        await file.close();
      }
      await rm(path, { force: true });
      await this.syncFolder();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw new KeyRingSetupError(`Cannot destroy ${path}.`, { cause: error });
    }
  }

  pathOf(version: number): string {
    return join(this.folder, version === 1 ? `${this.name}.key` : `${this.name}-${version}.key`);
  }

  /** Makes a change of names durable; Windows cannot open a folder and needs it less. */
  private async syncFolder(): Promise<void> {
    if (process.platform === 'win32') return;
    const handle = await open(this.folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}
