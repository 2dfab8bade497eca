import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { eventually } from '@app/testing';

/** What `npm test` has built. */
const PROGRAM = resolve(__dirname, '../../../dist/apps/standalone/src/main.js');
const START_TIME_MS = 180_000;
const CONTACT_ID = '7f3c2f6e-52f4-4d0b-9f3e-0c1d7a9b1e55';

type Started = Readonly<{ child: ChildProcess; url: string; output: () => string; errors: () => string }>;

/** As `npm start` runs it: built, as a process of its own. */
describe('the standalone', () => {
  let directory: string;
  let dataDir: string;
  const children: ChildProcess[] = [];

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'regulars-standalone-'));
    dataDir = join(directory, 'data');
  });

  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });

  const run = (environment: Record<string, string> = {}) => {
    const child = spawn(process.execPath, [PROGRAM], {
      cwd: directory,
      env: { PATH: process.env['PATH'], PORT: '0', REGULARS_DATA_DIR: dataDir, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    let [output, errors] = ['', ''];
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (errors += text));
    return { child, output: () => output, errors: () => errors };
  };

  const start = async (environment: Record<string, string> = {}): Promise<Started> => {
    const started = run(environment);
    const { child, output, errors } = started;
    await eventually(
      'it is ready',
      () => /Admin key .*\n/.test(output()) || child.exitCode !== null,
      START_TIME_MS,
    );
    if (child.exitCode !== null) throw new Error(errors());
    return { ...started, url: /API +(\S+)\/v1/.exec(output())![1]! };
  };

  /** Waits for the end, and tells how it came: exit code and the lines on standard error. */
  const end = async ({ child, errors }: Pick<Started, 'child' | 'errors'>, signal?: NodeJS.Signals) => {
    const closed = once(child, 'close');
    if (signal) child.kill(signal);
    if (child.exitCode === null || signal) await closed;
    return [child.exitCode, errors().split('\n').slice(0, -1)] as const;
  };

  const refusal = async (environment: Record<string, string>) => {
    const [code, lines] = await end(run(environment));
    expect([code, lines.length]).toEqual([1, 1]);
    return lines[0];
  };

  const adminKey = () => readFileSync(join(dataDir, 'admin.key'), 'utf8').trim();

  const ask = async (url: string, init: RequestInit = {}) => {
    const headers = { authorization: `Bearer ${adminKey()}`, 'content-type': 'application/json' };
    const answer = await fetch(url, { ...init, headers });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };

  const register = (url: string, contactId: string) =>
    ask(`${url}/v1/contacts`, {
      method: 'POST',
      body: JSON.stringify({ contactId, profile: { firstName: 'Anna' } }),
    });

  const idsFrom = async (url: string, position: unknown) => {
    const { status, body } = await ask(
      `${url}/v1/contacts?minPosition=${String(position)}&sort=registeredAt`,
    );
    expect(status).toBe(200);
    return (body['items'] as { contactId: string }[]).map(({ contactId }) => contactId);
  };

  it('starts, serves, keeps its data over a stop and over a kill, and refuses a second start meanwhile', async () => {
    const first = await start();
    expect(first.output()).toMatch(/^Regulars is ready\.$/m);
    expect(first.output()).toContain(`Docs       ${first.url}/docs`);
    expect(first.output()).toContain(`${adminKey()} (made now, kept in ${join(dataDir, 'admin.key')})`);
    expect(statSync(join(dataDir, 'admin.key')).mode & 0o777).toBe(0o600);
    expect((await fetch(`${first.url}/health/ready`)).status).toBe(200);
    const { status, body } = await register(first.url, CONTACT_ID);
    expect(status).toBe(201);
    expect(await idsFrom(first.url, body['position'])).toEqual([CONTACT_ID]);

    expect(await refusal({})).toContain('in use');

    const feed = await fetch(`${first.url}/v1/activity/live`, {
      headers: { authorization: `Bearer ${adminKey()}` },
    });
    expect(feed.status).toBe(200);
    // A live feed that nobody reads does not keep it from stopping.
    expect(await end(first, 'SIGTERM')).toEqual([0, []]);
    await feed.body?.cancel().catch(() => undefined);

    const second = await start();
    expect(second.output()).toContain(`in ${join(dataDir, 'admin.key')}`);
    expect(second.output()).not.toContain(adminKey());
    expect(await idsFrom(second.url, body['position'])).toEqual([CONTACT_ID]);
    const another = await register(second.url, CONTACT_ID.replace('7f', '8f'));
    expect(another.status).toBe(201);
    second.child.kill('SIGKILL');
    await once(second.child, 'close');

    const third = await start();
    expect(await idsFrom(third.url, another.body['position'])).toEqual([
      CONTACT_ID,
      CONTACT_ID.replace('7f', '8f'),
    ]);
    expect(await end(third, 'SIGINT')).toEqual([0, []]);
  });

  it('says in one line why it cannot start', async () => {
    const taken = createServer();
    await new Promise<void>((listening) => taken.listen(0, '127.0.0.1', listening));
    const { port } = taken.address() as { port: number };
    writeFileSync(join(directory, 'file'), '');
    try {
      expect(await refusal({ PORT: String(port) })).toBe(
        `regulars: Port ${port} of 127.0.0.1 is taken; set PORT to another one.`,
      );
      expect(await refusal({ PORT: 'http' })).toMatch(/^regulars: PORT is wrong: /);
      expect(await refusal({ REGULARS_DATA_DIR: join(directory, 'file', 'data') })).toMatch(
        /^regulars: The data folder \S+ cannot be used \(ENOTDIR\)/,
      );
    } finally {
      taken.close();
    }
  });
});
