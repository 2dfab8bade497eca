import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { open as openDatabase } from 'lmdb';
import { keyIdOf } from './key-id';
import { KeyDestroyedError, KeyRingSetupError, KeyRingUnavailableError } from './key-ring.errors';
import { LmdbKeyStore } from './lmdb.key-store';
import { LocalKeyRing } from './local.key-ring';

const run = promisify(execFile);

describe('LocalKeyRing', () => {
  let folder: string;
  const opened: LocalKeyRing[] = [];
  const open = async (cachedKeysMax = 100): Promise<LocalKeyRing> => {
    const keyRing = await LocalKeyRing.open(folder, { cachedKeysMax });
    opened.push(keyRing);
    return keyRing;
  };
  const fingerprint = async (keyRing: LocalKeyRing, contactId: string): Promise<string> =>
    (await keyRing.keyForSealing(contactId, 'personal')).subKey('profile').export().toString('hex');

  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'regulars-keys-')), 'keys');
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((keyRing) => keyRing.close()));
    await rm(join(folder, '..'), { recursive: true, force: true });
  });

  it('gives a contact two keys, and each purpose its own sub-key', async () => {
    const keyRing = await open();
    const contactId = randomUUID();
    const personal = await keyRing.keyForSealing(contactId, 'personal');
    const retained = await keyRing.keyForSealing(contactId, 'retained');
    const keys = [personal, retained].flatMap((key) =>
      (['profile', 'contact'] as const).map((purpose) => key.subKey(purpose).export().toString('hex')),
    );
    expect(new Set(keys).size).toBe(4);
    expect(personal.id).not.toBe(retained.id);
  });

  it('keeps keys and secrets over a restart', async () => {
    const contactId = randomUUID();
    const first = await open();
    const key = await fingerprint(first, contactId);
    const secret = first.secrets.derive('cursor').toString('hex');
    await first.close();
    const second = await open();
    expect(await fingerprint(second, contactId)).toBe(key);
    expect(second.secrets.derive('cursor').toString('hex')).toBe(secret);
    expect(second.secrets.derive('email-claim').toString('hex')).not.toBe(secret);
    expect(second.secrets.derive('cursor')).toHaveLength(32);
  });

  it('creates one key however many ask for it at once', async () => {
    const rings = [await open(), await open()];
    const contactId = randomUUID();
    const keys = await Promise.all(
      Array.from({ length: 20 }, (_, index) => fingerprint(rings[index % 2] as LocalKeyRing, contactId)),
    );
    expect(new Set(keys).size).toBe(1);
  });

  it('works with fewer cached keys than contacts', async () => {
    const keyRing = await open(2);
    const contactIds = Array.from({ length: 10 }, () => randomUUID());
    const keys = await Promise.all(contactIds.map((contactId) => fingerprint(keyRing, contactId)));
    expect(await Promise.all(contactIds.map((contactId) => fingerprint(keyRing, contactId)))).toEqual(keys);
  });

  it('knows missing, active and destroyed apart, and never forgets a destruction', async () => {
    const contactId = randomUUID();
    const keyId = keyIdOf(contactId, 'personal');
    const keyRing = await open();
    expect(await keyRing.keyForOpening(keyId)).toEqual({ kind: 'missing' });
    await keyRing.keyForSealing(contactId, 'personal');
    expect(await keyRing.keyForOpening(keyId)).toMatchObject({ kind: 'active' });
    const destroyed = await keyRing.destroy(contactId, 'personal');
    const tombstone = await keyRing.keyForOpening(keyId);
    expect(tombstone).toEqual({ kind: 'destroyed', at: destroyed.at });
    expect(destroyed.keyId).toBe(keyId);
    expect(tombstone).toMatchObject({
      kind: 'destroyed',
      at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    });
    expect(await keyRing.destroy(contactId, 'personal')).toEqual(destroyed);
    await keyRing.close();
    const again = await open();
    expect(await again.keyForOpening(keyId)).toEqual(tombstone);
    await expect(again.keyForSealing(contactId, 'personal')).rejects.toThrow(KeyDestroyedError);
    // What the law makes one keep goes later.
    await again.keyForSealing(contactId, 'retained');
    await again.destroy(contactId, 'retained');
    await expect(again.keyForSealing(contactId, 'retained')).rejects.toThrow(KeyDestroyedError);
    // A key that was never created must not come to be afterwards.
    const other = randomUUID();
    await again.destroy(other, 'personal');
    await expect(again.keyForSealing(other, 'personal')).rejects.toThrow(KeyDestroyedError);
  });

  it('is unavailable, not destroyed, where a record is damaged or the ring is closed', async () => {
    const contactId = randomUUID();
    const keyRing = await open();
    const other = await LocalKeyRing.open(join(folder, '..', 'other'));
    await other.keyForSealing(contactId, 'personal');
    await other.close();
    // The records of one ring beside the master key of another.
    await expect(
      (async () => {
        await writeFile(
          join(folder, '..', 'other', 'master.key'),
          await readFile(join(folder, 'master.key')),
        );
        await LocalKeyRing.open(join(folder, '..', 'other'));
      })(),
    ).rejects.toThrow(/is not the one that the keys were wrapped with/);
    await keyRing.close();
    await expect(keyRing.keyForSealing(contactId, 'personal')).rejects.toThrow(KeyRingUnavailableError);
  });

  it('takes over a key ring of the first version, and leaves none of its files', async () => {
    const keyRing = await open();
    const [kept, gone] = [randomUUID(), randomUUID()];
    const key = await fingerprint(keyRing, kept);
    const secret = keyRing.secrets.derive('cursor').toString('hex');
    await keyRing.destroy(gone, 'personal');
    await keyRing.close();
    // The first version kept the records themselves in one LMDB file.
    const store = await LmdbKeyStore.open(folder);
    const records = await store.page(null, 100);
    await store.close();
    const older = openDatabase<Buffer, string>({ path: join(folder, 'keys.mdb'), encoding: 'binary' });
    for (const [name, record] of records) {
      const bytes = Buffer.alloc(9, 2);
      if (record.kind === 'destroyed') bytes.writeDoubleBE(record.at, 1);
      const wrapped = record.kind === 'active' ? record.wrapped : Buffer.alloc(0);
      const active = name === 'system-secret' ? wrapped : Buffer.concat([Buffer.of(1), wrapped]);
      await older.put(name, record.kind === 'active' ? active : bytes);
    }
    await older.put('generation', Buffer.alloc(8));
    await older.close();
    for (const name of ['index.mdb', 'index.mdb-lock', 'keys.bin']) await rm(join(folder, name));

    const again = await open();
    expect(await fingerprint(again, kept)).toBe(key);
    expect(again.secrets.derive('cursor').toString('hex')).toBe(secret);
    await expect(again.keyForSealing(gone, 'personal')).rejects.toThrow(KeyDestroyedError);
    expect((await readdir(folder)).sort()).toEqual(['index.mdb', 'index.mdb-lock', 'keys.bin', 'master.key']);
  });

  it('does not make a new master key beside old records', async () => {
    await (await open()).close();
    await rm(join(folder, 'master.key'));
    await expect(open()).rejects.toThrow(KeyRingSetupError);
  });

  it('keeps the master key to its owner', async () => {
    await open();
    expect((await stat(join(folder, 'master.key'))).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it('says so where the folder cannot be used', async () => {
    await writeFile(folder, 'a file');
    await expect(open()).rejects.toThrow(KeyRingSetupError);
  });

  describe('shared with another process', () => {
    /** Runs code on `ring`, a LocalKeyRing on the same folder, in a process of its own. */
    const elsewhere = async (code: string): Promise<string> => {
      const source = join(__dirname, 'index.ts');
      const script = `
        const { LocalKeyRing } = require(${JSON.stringify(source)});
        LocalKeyRing.open(${JSON.stringify(folder)}).then(async (ring) => { ${code}; await ring.close(); });`;
      const { stdout } = await run(process.execPath, ['-r', '@swc-node/register', '-e', script]);
      return stdout.trim();
    };
    const print = (contactId: string) => `
      const key = await ring.keyForSealing('${contactId}', 'personal');
      console.log(key.subKey('profile').export().toString('hex'))`;

    it('agrees on the master key, the secret and every key, whoever creates them', async () => {
      const contactId = randomUUID();
      const [one, two, three] = await Promise.all([
        elsewhere(print(contactId)),
        elsewhere(print(contactId)),
        open().then((keyRing) => fingerprint(keyRing, contactId)),
      ]);
      expect(one).toMatch(/^[0-9a-f]{64}$/);
      expect([two, three]).toEqual([one, one]);
    });

    it('stops sealing at once and opening soon where another process destroys', async () => {
      const contactId = randomUUID();
      const keyRing = await open();
      const { id } = await keyRing.keyForSealing(contactId, 'personal');
      await elsewhere(`await ring.destroy('${contactId}', 'personal')`);
      await expect(keyRing.keyForSealing(contactId, 'personal')).rejects.toThrow(KeyDestroyedError);
      expect(keyRing.keyAtHand(id)?.kind).toBe('destroyed');
    });

    it('stops opening within the time a destruction may go unnoticed', async () => {
      const contactId = randomUUID();
      const keyRing = await open();
      const { id } = await keyRing.keyForSealing(contactId, 'personal');
      await elsewhere(`await ring.destroy('${contactId}', 'personal')`);
      const deadline = Date.now() + 5_000;
      while (keyRing.keyAtHand(id)?.kind !== 'destroyed' && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      expect(keyRing.keyAtHand(id)?.kind).toBe('destroyed');
    });
  });
});
