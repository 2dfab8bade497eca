import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadConfig } from '@app/config';
import {
  append,
  emptyFrontier,
  entryBundle,
  type Frontier,
  leafBytes,
  leafHash,
  parseTilePath,
  rootOf,
  signCheckpoint,
  signerOf,
  TILE_WIDTH,
  tileBytes,
  verifierKeyText,
} from '@app/transparency-log';
import { CommanderError } from 'commander';
import { OpsError } from '../ops.errors';
import { RegularsApi } from '../regulars-api';
import { exportPrivacyLog } from './export-privacy-log';
import { RemoteLog } from './remote-log';
import { verifyPrivacyLog } from './verify-privacy-log';
import { verifyPrivacyLogCommand } from './verify-privacy-log.command';

const SIZE = 600;
const ORIGIN = 'regulars.test/privacy-log';
const signer = signerOf(ORIGIN, Buffer.alloc(32, 5));
const quiet = () => ({ step: () => undefined, stop: () => undefined });

const leaves = Array.from({ length: SIZE }, (_, i) =>
  leafBytes({
    entryId: `e-${i}`,
    at: new Date(i * 1_000).toISOString(),
    action: 'contact.view',
    fields: ['email'],
  }),
);
/** Per tile level its hashes, per size its checkpoint. */
const levels: Buffer[][] = [leaves.map(leafHash), [], []];
const notes = new Map<number, string>();
let frontier: Frontier = emptyFrontier;
const sign = (size: number, by = signer): string =>
  signCheckpoint({ origin: ORIGIN, size, root: rootOf(frontier, size) }, by);
notes.set(0, sign(0));
for (const [i, hash] of levels[0]!.entries()) {
  frontier = append(frontier, hash, (level, _, root) => levels[level]!.push(root));
  notes.set(i + 1, sign(i + 1));
}

type Served = { size: number; grown: boolean; change: (path: string, bytes: Buffer) => Buffer | null };

/** What an instance whose newest checkpoint is of `size` entries serves at a path below /v1/privacy-log. */
const resource = ({ size, grown, change }: Served, path: string): Buffer | null => {
  const bytes = ((): Buffer | null => {
    if (path === 'checkpoint') return Buffer.from(notes.get(size)!);
    const tile = parseTilePath(path);
    if (!tile) return null;
    // Once a tile is full its parts need not be served.
    if (grown && tile.index === 1 && tile.width < TILE_WIDTH) return null;
    const { index, width } = tile;
    const of = tile.level === 'entries' ? leaves : (levels[tile.level] ?? []);
    const part = of.slice(index * TILE_WIDTH, index * TILE_WIDTH + width);
    if (part.length < width) return null;
    return tile.level === 'entries' ? entryBundle(part) : tileBytes(part);
  })();
  return bytes && change(path, bytes);
};

describe('the commands of the privacy log', () => {
  let folder: string;
  let key: string;
  let url: string;
  let api: RegularsApi;
  let log: RemoteLog;
  let served: Served;
  const server = createServer((request, response) => {
    const path = request.url!.replace('/v1/privacy-log/', '');
    if (request.headers.authorization !== 'Bearer secret') return void response.writeHead(401).end();
    const bytes = resource(served, path);
    response.writeHead(bytes ? 200 : 404).end(bytes ?? '{}');
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'regulars-log-'));
    key = join(folder, 'key');
    await writeFile(key, `${verifierKeyText(ORIGIN, signer.publicKey)}\n`);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    api = new RegularsApi({ url, key: 'secret', keyWord: '' }, { connections: 1, patienceMs: 0 });
    log = new RemoteLog(api);
  });
  beforeEach(() => {
    served = { size: SIZE, grown: false, change: (_, bytes) => bytes };
  });
  afterAll(async () => {
    await api.close();
    server.close();
    await rm(folder, { recursive: true, force: true });
  });

  let files = 0;
  const newFile = (): string => join(folder, `file-${(files += 1)}`);
  const exported = async (size: number): Promise<string> => {
    const file = newFile();
    served.size = size;
    expect(await exportPrivacyLog(log, file, quiet)).toBe(size);
    return file;
  };
  const witnessFile = async (...sizes: number[]): Promise<string> => {
    const file = newFile();
    await writeFile(file, sizes.map((size) => notes.get(size)).join('\n'));
    return file;
  };
  const changeFile = async (file: string, change: (text: string) => string): Promise<string> => {
    const changed = newFile();
    await writeFile(changed, change(await readFile(file, 'utf8')));
    return changed;
  };
  const verify = (what: Partial<Parameters<typeof verifyPrivacyLog>[0]>) =>
    verifyPrivacyLog({ key, ...what }, quiet);

  it.each([0, 1, 256, 600])('export %d entries and find them whole', async (size) => {
    const { whole, text } = await verify({ file: await exported(size) });
    expect(whole).toBe(true);
    expect(text).toContain(
      `integrity:     OK - ${size} of ${size} entries are proven by 1 signed checkpoints`,
    );
    expect(text).toContain(`completeness:  OK - ${size} entries; the largest checkpoint covers ${size}`);
    expect(text).toContain('No checkpoints of a witness were given.');
  });

  it('do not write over a file, and leave none behind that is not whole', async () => {
    const file = await exported(10);
    await expect(exportPrivacyLog(log, file, quiet)).rejects.toThrow('is there already');
    await expect(exportPrivacyLog(log, join(file, 'inside'), quiet)).rejects.toThrow(OpsError);
    served = { ...served, change: (path, bytes) => (path.includes('entries') ? bytes.subarray(1) : bytes) };
    const other = newFile();
    await expect(exportPrivacyLog(log, other, quiet)).rejects.toThrow('exactly 10 entries');
    for (const left of [other, `${other}.partial`]) await expect(readFile(left)).rejects.toThrow('ENOENT');
  });

  it('say where an export was changed, and give a verdict for each entry', async () => {
    const file = await changeFile(await exported(300), (text) =>
      text.replace('"action":"contact.view"', '"action":"x"'),
    );
    const verdicts = newFile();
    const { whole, text } = await verify({ file, verdicts, checkpoints: await witnessFile(100, 200) });
    expect(whole).toBe(false);
    expect(text).toContain('integrity:     BROKEN - 0 of 300');
    expect(text).toContain('something was changed among entries 0 to 99');
    expect(text).toContain('integrity, leaf-hash, entry 0');
    expect(text).toContain('completeness:  OK');
    const lines = (await readFile(verdicts, 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(300);
    expect(JSON.parse(lines[0]!)).toEqual({ index: 0, verdict: 'broken', faults: ['leaf-hash'] });
    expect(JSON.parse(lines[299]!)).toEqual({ index: 299, verdict: 'unproven' });
  });

  it('show by a witness that an export was cut back', async () => {
    const file = await exported(200);
    expect(await verify({ file, checkpoints: await witnessFile(100, 150) })).toMatchObject({ whole: true });
    const cut = await verify({ file, checkpoints: await witnessFile(100, 250) });
    expect(cut.whole).toBe(false);
    expect(cut.text).toContain('completeness:  BROKEN');
    expect(cut.text).toContain('A witness kept checkpoints of up to 250 entries');
  });

  it('verify what an instance serves, with every tile', async () => {
    const read: string[] = [];
    served = {
      ...served,
      change: (path, bytes) => {
        read.push(path);
        return bytes;
      },
    };
    expect(await verify({ log, checkpoints: await witnessFile(7, 600) })).toMatchObject({ whole: true });
    expect(read.sort()).toEqual(
      ['checkpoint', 'tile/0/000', 'tile/0/001', 'tile/0/002.p/88', 'tile/1/000.p/2'].concat([
        'tile/entries/000',
        'tile/entries/001',
        'tile/entries/002.p/88',
      ]),
    );
  });

  it('take the full tile where the part of it is gone', async () => {
    served = { ...served, size: 300, grown: true };
    expect(await verify({ log })).toMatchObject({ whole: true });
  });

  it.each(['tile/0/001', 'tile/1/000.p/2', 'tile/entries/002.p/88'])(
    'refuse a changed or missing %s',
    async (of) => {
      served.change = (path, bytes) => (path === of ? Buffer.from(bytes).fill(0x20, 40, 41) : bytes);
      expect(await verify({ log })).toMatchObject({ whole: false });
      served.change = (path, bytes) => (path === of ? null : bytes);
      const { whole, text } = await verify({ log });
      expect(whole).toBe(false);
      expect(text).toContain(`The server has no ${of}.`);
    },
  );

  it('hold export and instance against each other', async () => {
    const same = 'Export and running instance are the same log.';
    const [older, newer] = [await exported(300), await exported(600)];
    served.size = 400;
    expect(await verify({ log, file: older })).toMatchObject({
      whole: true,
      text: expect.stringContaining(same),
    });
    const shrunk = await verify({ log, file: newer });
    expect(shrunk.whole).toBe(false);
    expect(shrunk.text).toContain('DIFFERENT - the export has 600 entries, the running instance only 400.');
  });

  it('see that an instance serves another history under the same key', async () => {
    const otherLeaves = leaves.slice(0, 5).toReversed();
    let other: Frontier = emptyFrontier;
    for (const leaf of otherLeaves) other = append(other, leafHash(leaf));
    const note = signCheckpoint({ origin: ORIGIN, size: 5, root: rootOf(other, 5) }, signer);
    const file = await exported(300);
    served.size = 5;
    served.change = (path) => {
      if (path === 'checkpoint') return Buffer.from(note);
      return path.includes('entries') ? entryBundle(otherLeaves) : tileBytes(otherLeaves.map(leafHash));
    };
    expect(await verify({ log })).toMatchObject({ whole: true });
    const both = await verify({ log, file });
    expect(both.whole).toBe(false);
    expect(both.text).toContain('DIFFERENT - the first 5 entries');
  });

  it('show how far they are, to the end', async () => {
    const done = new Map<string, [number, number]>();
    const progressOf = (what: string, total: number) => {
      done.set(what, [0, total]);
      return { step: (count = 1) => void (done.get(what)![0] += count), stop: () => undefined };
    };
    await verifyPrivacyLog({ key, log, file: await exported(600) }, progressOf);
    expect(done.get('Verified entries')).toEqual([600, 600]);
    const [kib, total] = done.get('Verified KiB')!;
    expect(kib).toBe(total);
    expect(total).toBeGreaterThan(50);
  });

  describe('end with an exit code', () => {
    /** As main.ts does, in this process. */
    const run = async (...args: string[]): Promise<{ code: number; said: string }> => {
      const said: string[] = [];
      const log = jest.spyOn(console, 'log').mockImplementation((text: string) => void said.push(text));
      const command = verifyPrivacyLogCommand(loadConfig({}, folder)).exitOverride();
      command.configureOutput({ writeErr: (text) => said.push(text) });
      try {
        await command.parseAsync(args, { from: 'user' });
        return { code: Number(process.exitCode ?? 0), said: said.join('') };
      } catch (error) {
        const code = error instanceof OpsError ? error.exitCode : error instanceof CommanderError ? 2 : -1;
        return { code, said: `${said.join('')}${String(error)}` };
      } finally {
        process.exitCode = undefined;
        log.mockRestore();
      }
    };

    it('0 whole, 1 broken, 2 not to be judged', async () => {
      const file = await exported(20);
      const broken = await changeFile(file, (text) => text.replace('"contact.view"', '"x"'));
      const cases: [number, string[], string][] = [
        [0, [file, '--key', key], 'integrity:     OK'],
        [0, ['--url', url, '--api-key', 'secret', '--key', key, file], 'are the same log'],
        [1, [broken, '--key', key], 'integrity:     BROKEN'],
        [2, ['/nowhere', '--key', key], 'ENOENT'],
        [2, [file, '--key', '/nowhere'], 'ENOENT'],
        [2, [file, '--key', file], 'Not a verifier key'],
        [2, [file, '--key', key, '--checkpoints', '/nowhere'], 'ENOENT'],
        [2, ['--key', key], 'give a file, --url, or both'],
        [2, ['--key', key, '--url', url, '--verdicts', newFile()], '--verdicts needs a file'],
        [2, [file], '--key'],
        [2, ['--url', url, '--api-key', 'wrong', '--key', key], '401'],
      ];
      for (const [code, args, says] of cases) {
        const { said, ...end } = await run(...args);
        expect({ args, ...end }).toEqual({ args, code });
        expect(said).toContain(says);
      }
    });

    it('also as a process', async () => {
      const main = resolve(__dirname, '../main.ts');
      const cwd = resolve(__dirname, '../../../..');
      const run = (...args: string[]): Promise<number> =>
        new Promise((done) =>
          execFile(process.execPath, ['-r', '@swc-node/register', main, ...args], { cwd }, (error) =>
            done(error ? Number(error.code) : 0),
          ),
        );
      const out = newFile();
      served.size = 20;
      expect(await run('export-privacy-log', out, '--url', url, '--api-key', 'secret')).toBe(0);
      expect(await run('verify-privacy-log', out, '--key', '/nowhere')).toBe(2);
    });
  });
});
