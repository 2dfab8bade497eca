import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { askedAgain } from '@app/testing';

/** What `npm test` has built: scenarios run the program that users run. */
const STANDALONE = resolve(__dirname, '../../dist/apps/standalone/src/main.js');
const API = resolve(__dirname, '../../dist/apps/api/src/main.js');
const PROJECTOR = resolve(__dirname, '../../dist/apps/projector/src/main.js');
const EVENT_STORE = resolve(__dirname, '../../dist/libs/embedded-eventstoredb/src/main.js');
const DOCUMENT_STORE = resolve(__dirname, '../../dist/libs/embedded-mongodb/src/main.js');
const OPS = resolve(__dirname, '../../dist/apps/ops/src/main.js');
const READY_WITHIN_MS = 180_000;
const ENDS_WITHIN_MS = 120_000;

export type Answer<Body = Record<string, unknown>> = Readonly<{
  status: number;
  headers: Headers;
  body: Body;
}>;

export type Call = Readonly<{
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
  /** Sent instead of `body`, as it is. */
  raw?: string | Uint8Array<ArrayBuffer>;
  /** Instead of the admin's; null: none. */
  key?: string | null;
  /** False: the first answer counts, though the read models may only be behind. */
  patient?: boolean;
}>;

/** A process of Regulars, and how to talk to it. */
export class RunningSystem {
  private constructor(
    private readonly child: ChildProcess,
    readonly dataDir: string,
    readonly url: string,
    readonly adminKey: string,
    readonly output: () => string,
  ) {}

  /** Starts the standalone program on a folder (a new one unless given) and a free port. */
  static async start(
    options: Readonly<{ dataDir?: string; environment?: Readonly<Record<string, string>> }> = {},
  ): Promise<RunningSystem> {
    const dataDir = options.dataDir ?? newDataDir();
    return RunningSystem.launch(STANDALONE, dataDir, { ...options.environment });
  }

  /** Starts another api process beside a standalone one that runs on the given servers. */
  static async startApi(
    dataDir: string,
    environment: Readonly<Record<string, string>>,
  ): Promise<RunningSystem> {
    return RunningSystem.launch(API, dataDir, environment);
  }

  private static async launch(
    program: string,
    dataDir: string,
    environment: Readonly<Record<string, string>>,
  ): Promise<RunningSystem> {
    const { child, output } = run(program, [], { REGULARS_DATA_DIR: dataDir, PORT: '0', ...environment });
    const url = await addressOf(child, output);
    const adminKey =
      environment['REGULARS_ADMIN_KEY'] ?? readFileSync(join(dataDir, 'admin.key'), 'utf8').trim();
    return new RunningSystem(child, dataDir, url, adminKey, output);
  }

  async call<Body = Record<string, unknown>>(
    method: string,
    path: string,
    { patient = true, ...call }: Call = {},
  ): Promise<Answer<Body>> {
    const answer = await (patient
      ? askedAgain(() => this.ask(method, path, call))
      : this.ask(method, path, call));
    return { ...answer, body: answer.body as Body };
  }

  private async ask(
    method: string,
    path: string,
    { body, headers, raw, key = this.adminKey }: Call,
  ): Promise<Answer> {
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(payload === undefined ? {} : { body: payload }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parsed(text) };
  }

  /** Ends the process without warning. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Ends the process as an operator does; answers with its exit code. */
  async stop(signal: 'SIGTERM' | 'SIGINT' = 'SIGTERM'): Promise<number | null> {
    return this.end(signal);
  }

  /** Stops it and removes its data. */
  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), ENDS_WITHIN_MS);
    await ended;
    clearTimeout(timer);
    return this.child.exitCode;
  }
}

export const newDataDir = (): string => mkdtempSync(join(tmpdir(), 'regulars-scenario-'));

/** An embedded store in a process of its own. */
export type RunningServer = Readonly<{
  /** `host:port`. */
  address: string;
  /** Ends it without warning. */
  kill: () => Promise<void>;
}>;

/** Starts an embedded store on a folder; on any free port unless one is given, such as the one it had before. */
export const startServer = async (
  what: 'events' | 'documents',
  folder: string,
  port = 0,
): Promise<RunningServer> => {
  const program = what === 'events' ? EVENT_STORE : DOCUMENT_STORE;
  const { child, output } = run(program, ['--port', String(port), '--data', folder], {});
  const address = (await matchOf(child, output, /listening on ([\d.]+:\d+)/))[1] as string;
  return { address, kill: () => killed(child) };
};

/** The servers, two api processes and a projector, each a process of its own as in production. */
export type Deployment = Readonly<{
  apis: readonly [RunningSystem, RunningSystem];
  /** Has the projector stand still, and go on. */
  haltProjector: () => void;
  resumeProjector: () => void;
  dispose: () => Promise<void>;
}>;

export const startDeployment = async (
  settings: Readonly<Record<string, string>> = {},
): Promise<Deployment> => {
  const dataDir = newDataDir();
  const [eventStore, documents] = await Promise.all([
    startServer('events', join(dataDir, 'events')),
    startServer('documents', join(dataDir, 'documents')),
  ]);
  const environment = {
    EVENTSTORE_URL: `esdb://${eventStore.address}?tls=false`,
    MONGODB_URL: `mongodb://${documents.address}/regulars`,
    REGULARS_DATA_DIR: dataDir,
    REGULARS_ADMIN_KEY: 'an-admin-key-for-scenarios',
    ...settings,
  };
  const projector = run(PROJECTOR, [], environment).child;
  const apis = [
    await RunningSystem.startApi(dataDir, environment),
    await RunningSystem.startApi(dataDir, environment),
  ] as const;
  const dispose = async (): Promise<void> => {
    await Promise.all(apis.map((api) => api.stop()));
    await Promise.all([killed(projector), eventStore.kill(), documents.kill()]);
    rmSync(dataDir, { recursive: true, force: true });
  };
  return {
    apis,
    haltProjector: () => void projector.kill('SIGSTOP'),
    resumeProjector: () => void projector.kill('SIGCONT'),
    dispose,
  };
};

/** A port of this machine that nobody listens on. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

const killed = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
};

/** Runs a program to its end. */
export const runToEnd = async (
  program: 'standalone' | 'ops',
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Readonly<{ code: number | null; output: string }>> => {
  const { child, output } = run(program === 'ops' ? OPS : STANDALONE, args, environment);
  await once(child, 'close');
  return { code: child.exitCode, output: output() };
};

/** Starts a program that goes on beside the test. */
export const runBeside = (
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Readonly<{ child: ChildProcess; output: () => string; ended: Promise<number | null> }> => {
  const { child, output } = run(OPS, args, environment);
  return { child, output, ended: once(child, 'close').then(() => child.exitCode) };
};

const run = (
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Readonly<{ child: ChildProcess; output: () => string }> => {
  // Only what the test says: the addresses of real servers, say, are not for every scenario.
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH, HOME, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Without a .env of the working directory.
    cwd: tmpdir(),
  });
  let text = '';
  const keep = (chunk: Buffer): void => void (text += chunk.toString('utf8'));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return { child, output: () => text };
};

const addressOf = async (child: ChildProcess, output: () => string): Promise<string> =>
  (await matchOf(child, output, /http:\/\/[\d.]+:\d+/))[0];

/** Waits until a program has printed what it prints when it is ready. */
const matchOf = async (
  child: ChildProcess,
  output: () => string,
  pattern: RegExp,
): Promise<RegExpExecArray> => {
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const match = pattern.exec(output());
    if (match) return match;
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`The program did not become ready. It printed:\n${output()}`);
    }
    await new Promise((wake) => setTimeout(wake, 20));
  }
};

const parsed = (text: string): Record<string, unknown> => {
  try {
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  } catch {
    return { text };
  }
};
