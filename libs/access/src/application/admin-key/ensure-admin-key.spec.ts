import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Role } from '@app/kernel';
import { ADMIN_KEY_ID, type Access, type ApiKey } from '../../domain/access.decider';
import { readAdminKeyFile, writeAdminKeyFile } from './admin-key.file';
import { adminKeyStep } from './ensure-admin-key';

const NOW = '2026-01-31T12:00:00.000Z';

describe('the step towards an admin key', () => {
  const key = (keyId: string, more: Partial<ApiKey> = {}): [string, ApiKey] => [
    keyId,
    {
      keyId,
      name: 'n',
      role: 'admin' as Role,
      hash: 'now',
      formerHashes: ['before'],
      createdAt: NOW,
      ...more,
    },
  ];
  const log = (...keys: [string, ApiKey][]): Access => ({ keys: new Map(keys) });
  const own = key(ADMIN_KEY_ID);
  const ownRevoked = key(ADMIN_KEY_ID, { revokedAt: NOW });
  const another = key('another');
  const expired = key('another', { expiresAt: NOW });
  const operator = key('another', { role: 'operator' });

  it.each<[string, Access, string | null, string, string]>([
    // what is there; the log; the file; the step of the standalone; the step of one of several processes
    ['nothing', log(), null, 'generate', 'generate'],
    ['a file, and a log without keys', log(), 'now', 'use-file', 'use-file'],
    ['a file that the log knows', log(own), 'now', 'leave', 'leave'],
    ['a log with a key, and no file', log(own), null, 'generate', 'leave'],
    ['a file that the log never saw', log(own), 'other', 'use-file', 'leave'],
    ['a file that the log never saw, and no admin', log(operator), 'other', 'use-file', 'use-file'],
    ['a file from before a rotation', log(own), 'before', 'outdated', 'outdated'],
    ['a file with a revoked key, and another admin', log(ownRevoked, another), 'now', 'outdated', 'outdated'],
    ['a file with a revoked key, and no admin', log(ownRevoked, operator), 'now', 'generate', 'generate'],
    [
      'a file with a revoked key, and an expired admin',
      log(ownRevoked, expired),
      'now',
      'generate',
      'generate',
    ],
    ['no file, and another admin', log(another), null, 'generate', 'leave'],
  ])('with %s', (_, access, fileHash, standalone, shared) => {
    expect(adminKeyStep(access, fileHash, true, NOW)).toBe(standalone);
    expect(adminKeyStep(access, fileHash, false, NOW)).toBe(shared);
  });
});

describe('the file of the admin key', () => {
  let directory: string;
  beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'regulars-access-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  it('is made for its owner only, in a folder that need not exist', async () => {
    const path = join(directory, 'data', 'admin.key');
    expect(await readAdminKeyFile(path)).toBeNull();
    await writeAdminKeyFile(path, 'reg_0123456789abcdef');
    expect(await readAdminKeyFile(path)).toBe('reg_0123456789abcdef');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(directory, 'data'))).toEqual(['admin.key']);
  });

  it('is never readable by others, even where it was', async () => {
    const path = join(directory, 'admin.key');
    writeFileSync(`${path}.new`, 'left over', { mode: 0o644 });
    await writeAdminKeyFile(path, 'reg_0123456789abcdef');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('is refused when it holds something else', async () => {
    const path = join(directory, 'admin.key');
    for (const text of ['', 'short', 'two words are no key at all']) {
      writeFileSync(path, text);
      await expect(readAdminKeyFile(path)).rejects.toThrow('holds no key');
    }
  });
});
