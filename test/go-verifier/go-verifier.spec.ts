import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import {
  consistencyProof,
  entryBundle,
  inclusionProof,
  rootAt,
  signCheckpoint,
  signerOf,
  TILE_WIDTH,
  tileBytes,
  tilePath,
  tileWidth,
  verifierKeyText,
} from '@app/transparency-log';
import {
  growLog,
  ORIGIN,
  type SampleLog,
  signer,
  tinyContent,
} from '../../libs/transparency-log/src/sample-log.suite';

/** Where Debian's golang-golang-x-mod-dev puts the packages. */
const GOPATH = [process.env['GOPATH'], '/usr/share/gocode'].find(
  (path) => path && existsSync(join(path, 'src/golang.org/x/mod/sumdb/tlog')),
);
const hasGo = (): boolean => {
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

const noteOf = async (log: SampleLog, size: number, by = signer): Promise<string> =>
  signCheckpoint({ origin: ORIGIN, size, root: await rootAt(log.tiles, size) }, by);

/** A log as it is served, as files by path. */
const resourcesOf = async (log: SampleLog): Promise<Map<string, Buffer>> => {
  const size = log.hashes.length;
  const files = new Map<string, Buffer>();
  files.set('checkpoint', Buffer.from(await noteOf(log, size)));
  files.set('key', Buffer.from(verifierKeyText(ORIGIN, signer.publicKey)));
  for (let level = 0; tileWidth(level, 0, size) > 0; level += 1) {
    for (let index = 0; tileWidth(level, index, size) > 0; index += 1) {
      const width = tileWidth(level, index, size);
      files.set(tilePath({ level, index, width }), tileBytes(await log.tiles(level, index, width)));
      if (level > 0) continue;
      const leaves = log.leaves.slice(index * TILE_WIDTH, index * TILE_WIDTH + width);
      files.set(tilePath({ level: 'entries', index, width }), entryBundle(leaves));
    }
  }
  return files;
};

/** Proofs as the API answers them, of many entries and between many sizes. */
const proofsOf = async ({ hashes, tiles }: SampleLog): Promise<string[]> => {
  const texts = (list: readonly Buffer[]) => list.map((hash) => hash.toString('base64'));
  const root = async (size: number) => (await rootAt(tiles, size)).toString('base64');
  const whole = hashes.length;
  const lines: string[] = [];
  const sizes = [...new Set([1, 2, 3, 7, 8, 255, 256, 257, 300, 511, 512, 600, whole])].filter(
    (size) => size <= whole,
  );
  for (const size of sizes) {
    for (const index of new Set([0, Math.floor(size / 3), size - 1])) {
      const hashList = texts(await inclusionProof(tiles, index, size));
      const leafHash = hashes[index]!.toString('base64');
      lines.push(JSON.stringify({ index, size, leafHash, hashes: hashList, rootHash: await root(size) }));
    }
    for (const to of sizes.filter((later) => later >= size)) {
      const hashList = texts(await consistencyProof(tiles, size, to));
      const [fromRoot, toRoot] = [await root(size), await root(to)];
      lines.push(JSON.stringify({ from: size, to, hashes: hashList, fromRoot, toRoot }));
    }
  }
  return lines;
};

if (GOPATH === undefined || !hasGo()) {
  describe.skip("Go's verifier: no go with golang.org/x/mod was found (Debian: golang-go golang-golang-x-mod-dev)", () =>
    it('is skipped', () => undefined));
} else {
  describe("Go's verifier", () => {
    let folder: string;
    let program: string;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'regulars-go-'));
      program = join(folder, 'go-verifier');
      const env = {
        ...process.env,
        GO111MODULE: 'off',
        GOPATH,
        GOCACHE: process.env['GOCACHE'] ?? join(folder, 'cache'),
      };
      await promisify(execFile)('go', ['build', '-o', program, '.'], { cwd: __dirname, env });
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    /** What the program says; throws with what it says where it refuses. */
    const run = async (...args: readonly string[]): Promise<string> => {
      try {
        return (await promisify(execFile)(program, args)).stdout;
      } catch (error) {
        throw new Error((error as { stderr: string }).stderr);
      }
    };

    const laid = async (files: ReadonlyMap<string, Buffer | string>): Promise<string> => {
      const log = await mkdtemp(join(folder, 'log-'));
      for (const [path, bytes] of files) {
        await mkdir(dirname(join(log, path)), { recursive: true });
        await writeFile(join(log, path), bytes);
      }
      return log;
    };

    it.each([1, 2, 3, 200, 255, 256, 257, 700])(
      'accepts a log of %d entries and all proofs of it',
      async (size) => {
        const log = growLog(size);
        const proofs = await proofsOf(log);
        const files = await resourcesOf(log);
        const path = await laid(
          new Map<string, Buffer | string>([
            ...files,
            ['proofs', proofs.join('\n')],
            ['earlier', await noteOf(log, Math.ceil(size / 2))],
          ]),
        );
        const said = await run('-proofs', join(path, 'proofs'), '-earlier', join(path, 'earlier'), path);
        const tileCount = [...files.keys()].filter((name) => /^tile\/\d/.test(name)).length;
        expect(said).toContain(`accepted: ${size} entries, ${tileCount} tiles, ${proofs.length} proofs`);
      },
    );

    it('accepts tiles three levels high', async () => {
      const path = await laid(await resourcesOf(growLog(66_000, tinyContent)));
      expect(existsSync(join(path, 'tile/2/000.p/1'))).toBe(true);
      expect(await run(path)).toContain('accepted: 66000 entries, 261 tiles');
    });

    it('accepts an empty log', async () => {
      expect(await run(await laid(await resourcesOf(growLog(0))))).toContain('accepted: 0 entries');
    });

    it('refuses a log with any byte changed in any resource', async () => {
      const files = await resourcesOf(growLog(300));
      expect(files.size).toBe(7);
      for (const [path, bytes] of files) {
        const changed = Buffer.from(bytes);
        changed[changed.length >> 1]! ^= 1;
        await expect(run(await laid(new Map([...files, [path, changed]])))).rejects.toThrow(/^refused: /);
      }
    });

    it('refuses proofs that are changed, and logs that do not go on from an earlier checkpoint', async () => {
      const log = growLog(300);
      const files = await resourcesOf(log);
      const [proof] = (await proofsOf(log)).slice(-1);
      const other = log.hashes[7]!.toString('base64');
      const fork = signCheckpoint({ origin: ORIGIN, size: 200, root: log.hashes[0]! }, signer);
      const path = await laid(
        new Map<string, Buffer | string>([
          ...files,
          ['proof', proof!.replace(/"hashes":\[/, `"hashes":["${other}",`).replace(',]', ']')],
          ['fork', fork],
          ['strange', await noteOf(log, 200, signerOf(ORIGIN, Buffer.alloc(32, 1)))],
        ]),
      );
      await expect(run('-proofs', join(path, 'proof'), path)).rejects.toThrow('refused: proof 0');
      await expect(run('-earlier', join(path, 'fork'), path)).rejects.toThrow('does not go on');
      await expect(run('-earlier', join(path, 'strange'), path)).rejects.toThrow('no verifiable signatures');
    });

    it('takes a log over HTTP, with the API key', async () => {
      const path = await laid(await resourcesOf(growLog(300)));
      const server = createServer((request, response) => {
        const allowed = request.headers.authorization === 'Bearer secret';
        readFile(join(path, request.url!.replace('/v1/privacy-log/', '')))
          .then((bytes) => response.writeHead(allowed ? 200 : 401).end(bytes))
          .catch(() => response.writeHead(404).end());
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      try {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/privacy-log`;
        await expect(run(url)).rejects.toThrow('401');
        const env = { ...process.env, REGULARS_API_KEY: 'secret' };
        expect((await promisify(execFile)(program, [url], { env })).stdout).toContain(
          'accepted: 300 entries',
        );
      } finally {
        server.close();
      }
    });
  });
}
