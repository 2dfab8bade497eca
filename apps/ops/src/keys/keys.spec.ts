import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@app/config';
import { openKeyRing } from '@app/personal-data';
import { CommanderError } from 'commander';
import { OpsError } from '../ops.errors';
import { throwOnWrongUsage } from '../usage';
import { keysCommand } from './keys.command';

describe('ops keys', () => {
  let folder: string;
  const contact = randomUUID();

  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'regulars-ops-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const config = () => loadConfig({ REGULARS_KEYS_DIR: join(folder, 'keys') }, folder);
  const run = async (...words: string[]): Promise<string[]> => {
    const lines: string[] = [];
    const log = jest.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
    jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      await throwOnWrongUsage(keysCommand(config())).parseAsync(words, { from: 'user' });
    } finally {
      log.mockRestore();
      jest.restoreAllMocks();
    }
    return lines;
  };
  const print = async (): Promise<string> => {
    const keyRing = await openKeyRing(config());
    const key = await keyRing.keyForSealing(contact, 'personal');
    await keyRing.close();
    return key.subKey('profile').export().toString('hex');
  };

  it('tells figures, rotates, and lists what was destroyed', async () => {
    const key = await print();
    const keyRing = await openKeyRing(config());
    const gone = [
      await keyRing.destroy(randomUUID(), 'personal'),
      await keyRing.destroy(contact, 'retained'),
    ];
    await keyRing.close();
    expect(await run('status')).toEqual([
      'Keys of contacts: 1 in use, 2 destroyed.',
      'Key-encryption key 1: current, from a file; wraps 2.',
    ]);
    const [prepared] = await run('rotate', '--prepare');
    expect(prepared).toContain(join(folder, 'keys', 'master-2.key'));
    expect(await run('rotate')).toEqual([
      'Key-encryption key 2 is in use; 2 keys were wrapped anew, and no older one opens any.',
    ]);
    expect(await run('status')).toEqual([
      'Keys of contacts: 1 in use, 2 destroyed.',
      'Key-encryption key 1: retired; wraps 0.',
      'Key-encryption key 2: current, from a file; wraps 2.',
    ]);
    expect(existsSync(join(folder, 'keys', 'master.key'))).toBe(false);
    expect(await print()).toBe(key);
    expect(await run('destroyed')).toEqual(gone.map(({ keyId, at }) => `${keyId}\t${at}`));
  });

  it('says in one line where the key ring cannot be used', async () => {
    await writeFile(join(folder, 'keys'), 'a file');
    await expect(run('status')).rejects.toThrow(OpsError);
    await expect(run('status')).rejects.toThrow(/^Cannot open the key ring in .*$/);
  });

  it('makes no key ring where there is none', async () => {
    for (const words of [['status'], ['rotate'], ['rotate', '--prepare'], ['destroyed']])
      await expect(run(...words)).rejects.toThrow('There is no key ring in');
    expect(existsSync(join(folder, 'keys'))).toBe(false);
  });

  it('takes no option that it does not know', async () =>
    expect(run('rotate', '--force')).rejects.toThrow(CommanderError));
});
