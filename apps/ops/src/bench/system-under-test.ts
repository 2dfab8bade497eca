import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OpsError } from '../ops.errors';

const DIST = join(__dirname, '..', '..', '..', '..');
const START_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 30_000;
const OUTPUT_KEPT = 20_000;

export type SystemAddresses = Readonly<{
  url: string;
  key: string;
  eventStoreUrl: string;
  mongodbUrl: string;
}>;

/** A child process and what it has written so far. */
class Child {
  private readonly process: ChildProcess;
  private output = '';

  constructor(script: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.process = spawn(process.execPath, [join(DIST, script), ...args], {
      env: { ...process.env, ...env },
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.on(
        'data',
        (text: Buffer) => (this.output = (this.output + text.toString()).slice(-OUTPUT_KEPT)),
      );
    }
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** Resolves with the groups of each pattern once all have been written. */
  async says(...patterns: readonly RegExp[]): Promise<readonly string[]> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      const found = patterns.map((pattern) => pattern.exec(this.output)?.[1]);
      if (found.every((text) => text !== undefined)) return found;
      if (this.process.exitCode !== null || performance.now() > deadline) {
        throw new OpsError(`A process of the bench did not start:\n${this.output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exit = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exit;
    clearTimeout(timer);
  }
}

const ADMIN_KEY = 'bench-admin-key-0123456789abcdef';

/**
 * The system as it runs in production: a standalone with the embedded servers on a folder of its own, or, where
 * EVENTSTORE_URL and MONGODB_URL are set, the same process on those servers and a database of its own.
 */
export class SystemUnderTest {
  private readonly dataDir = mkdtempSync(join(tmpdir(), 'regulars-bench-'));
  private readonly dbName = `regulars_bench_${process.pid}`;
  private child: Child | undefined;

  /** `servers`: given addresses; null for embedded servers. */
  constructor(private readonly servers: Readonly<{ eventStoreUrl: string; mongodbUrl: string }> | null) {}

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  get databaseName(): string {
    return this.servers ? this.dbName : 'regulars';
  }

  async start(): Promise<SystemAddresses> {
    this.child = new Child('apps/standalone/src/main.js', [], {
      ...this.environment(),
      PORT: '0',
      HOST: '127.0.0.1',
      ...(this.servers && {
        EVENTSTORE_URL: this.servers.eventStoreUrl,
        MONGODB_URL: withDatabase(this.servers.mongodbUrl, this.dbName),
      }),
    });
    const [url] = (await this.child.says(/(http:\/\/127\.0\.0\.1:\d+)/)) as [string];
    if (this.servers) return { url, key: ADMIN_KEY, ...this.servers };
    const [eventStoreUrl, mongodbUrl] = (await this.child.says(
      /(esdb:\/\/127\.0\.0\.1:\d+\S*?)["\s]/,
      /(mongodb:\/\/127\.0\.0\.1:\d+\S*?)["\s]/,
    )) as [string, string];
    return { url, key: ADMIN_KEY, eventStoreUrl, mongodbUrl };
  }

  async restart(): Promise<SystemAddresses> {
    await this.child?.stop();
    return this.start();
  }

  /** An api process beside the system, on the same servers and keys; `logged`: false leaves out the privacy log. */
  async startApi(
    { eventStoreUrl, mongodbUrl, key }: SystemAddresses,
    logged: boolean,
  ): Promise<Readonly<{ url: string; key: string; pid: number; stop: () => Promise<void> }>> {
    const script = logged ? 'apps/api/src/main.js' : 'apps/ops/src/bench/unlogged-api.process.js';
    const api = new Child(script, [], {
      ...this.environment(),
      PORT: '0',
      HOST: '127.0.0.1',
      EVENTSTORE_URL: eventStoreUrl,
      MONGODB_URL: withDatabase(mongodbUrl, this.databaseName),
    });
    const [url] = (await api.says(/(http:\/\/127\.0\.0\.1:\d+)/)) as [string];
    return { url, key, pid: api.pid, stop: () => api.stop() };
  }

  /** A projector of its own beside the system, on the same log and keys, that fills an empty database. */
  startProjector({ eventStoreUrl, mongodbUrl }: SystemAddresses, dbName: string): () => Promise<void> {
    const projector = new Child('apps/projector/src/main.js', [], {
      ...this.environment(),
      EVENTSTORE_URL: eventStoreUrl,
      MONGODB_URL: withDatabase(mongodbUrl, dbName),
    });
    return () => projector.stop();
  }

  async stop(): Promise<void> {
    await this.child?.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  private environment(): NodeJS.ProcessEnv {
    return {
      NODE_ENV: 'production',
      REGULARS_DATA_DIR: this.dataDir,
      REGULARS_ADMIN_KEY: ADMIN_KEY,
      EVENTSTORE_URL: '',
      MONGODB_URL: '',
      LOG_LEVEL: 'info',
    };
  }
}

/** An embedded event store by itself, on a folder of its own. */
export const startEmbeddedEventStore = async (): Promise<
  Readonly<{ eventStoreUrl: string; pid: number; stop: () => Promise<void> }>
> => {
  const dataDir = mkdtempSync(join(tmpdir(), 'regulars-bench-'));
  const child = new Child('libs/embedded-eventstoredb/src/main.js', ['--port', '0', '--data', dataDir], {});
  const [address] = (await child.says(/listening on (127\.0\.0\.1:\d+)/)) as [string];
  return {
    eventStoreUrl: `esdb://${address}?tls=false`,
    pid: child.pid,
    stop: async () => {
      await child.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
};

/** The same connection string with another database. */
const withDatabase = (mongodbUrl: string, dbName: string): string =>
  mongodbUrl.replace(/^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/[^?]*)?/, `$1/${dbName}`);
