import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { replaceFile } from './durable-files';

describe('replacing a file', () => {
  let folder: string;
  const at = (name: string): string => join(folder, name);

  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'regulars-files-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('puts the new one in its place and gives back all of the old one, even to somebody who reads it', async () => {
    writeFileSync(at('old'), Buffer.alloc(40 * 1024 * 1024, 1));
    writeFileSync(at('new'), 'new');
    const reader = await open(at('old'), 'r');
    await replaceFile(at('new'), at('old'));
    expect(readFileSync(at('old'), 'utf8')).toBe('new');
    expect((await reader.stat()).size).toBe(0);
    await reader.close();
  });

  it('needs nothing to be there', async () => {
    writeFileSync(at('new'), 'new');
    await replaceFile(at('new'), at('old'));
    expect(readFileSync(at('old'), 'utf8')).toBe('new');
  });

  it('leaves what is there where there is nothing to replace it with', async () => {
    writeFileSync(at('old'), 'old');
    await expect(replaceFile(at('new'), at('old'))).rejects.toThrow('ENOENT');
    expect(readFileSync(at('old'), 'utf8')).toBe('old');
  });
});
