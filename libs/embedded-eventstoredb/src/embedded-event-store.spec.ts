import { EventStoreDBClient, jsonEvent, START } from '@eventstore/db-client';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type EmbeddedEventStore, startEmbeddedEventStore } from './embedded-event-store';

// Two of the tests start processes that compile what they run.
const WRITERS = 4;
const fact = (n: number, pad = '') => jsonEvent({ type: 'test.Happened.v1', data: { n, pad } });

describe('the embedded event store', () => {
  let dataDir: string;
  const open: EmbeddedEventStore[] = [];
  const clients: EventStoreDBClient[] = [];
  const children: ChildProcess[] = [];

  const start = async (): Promise<EmbeddedEventStore> => {
    const store = await startEmbeddedEventStore({ dataDir });
    open.push(store);
    return store;
  };
  const connect = (connectionString: string): EventStoreDBClient => {
    const client = EventStoreDBClient.connectionString(connectionString);
    clients.push(client);
    return client;
  };
  /** Runs the store as a process of its own; resolves with its connection string and the process. */
  const startProcess = async (): Promise<[string, ChildProcess]> => {
    const args = ['-r', '@swc-node/register', join(__dirname, 'main.ts'), '--data', dataDir];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const [, address] = /^embedded-eventstoredb listening on (127\.0\.0\.1:\d+)$/.exec(line) ?? [];
    return [`esdb://${address}?tls=false`, child];
  };
  const dataOf = async (client: EventStoreDBClient, stream: string): Promise<number[]> => {
    const data: number[] = [];
    for await (const { event } of client.readStream(stream)) data.push((event?.data as { n: number }).n);
    return data;
  };

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'embedded-event-store-'));
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.dispose()));
    await Promise.all(open.splice(0).map((store) => store.close()));
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('loses nothing acknowledged when it is killed under four writers', async () => {
    const acknowledged = Array.from({ length: WRITERS }, () => new Map<number, bigint>());
    for (let round = 0; round < 2; round += 1) {
      const [connectionString, child] = await startProcess();
      const client = connect(connectionString);
      let count = 0;
      const exited = once(child, 'exit');
      const write = async (writer: number): Promise<void> => {
        const known = acknowledged[writer] as Map<number, bigint>;
        // From behind what is surely there, so that an append with unknown outcome is not sent twice.
        for (let n = (round + 1) * 1_000_000; ; n += 1) {
          const { position } = await client.appendToStream(`writer-${writer}`, [fact(n), fact(n)]);
          known.set(n, position?.commit ?? -1n);
          count += 1;
          if (count === 200) child.kill('SIGKILL');
        }
      };
      const ends = await Promise.allSettled(acknowledged.map((_, writer) => write(writer)));
      expect(ends.map(({ status }) => status)).toEqual(Array(WRITERS).fill('rejected'));
      await exited;
    }
    const client = connect((await start()).connectionString);
    for (const [writer, known] of acknowledged.entries()) {
      const found = new Map<number, bigint[]>();
      let revision = 0n;
      for await (const { event } of client.readStream(`writer-${writer}`)) {
        expect(event?.revision).toBe(revision++);
        const { n } = event?.data as { n: number };
        found.set(n, [...(found.get(n) ?? []), event?.position?.commit ?? -1n]);
      }
      for (const [n, position] of known) expect(found.get(n)?.at(-1)).toBe(position);
      // An append is there whole or not at all, acknowledged or not.
      expect([...found.values()].every((positions) => positions.length === 2)).toBe(true);
    }
  });

  it('builds its index anew when it is lost or broken, and catches up when it is behind', async () => {
    let client = connect((await start()).connectionString);
    const closed = `closed-${randomUUID()}`;
    const repeated = fact(0);
    await client.appendToStream('a', [repeated, fact(1)]);
    await client.appendToStream('b', [fact(5)]);
    await client.setStreamMetadata('b', { maxCount: 1 });
    await client.appendToStream('b', [fact(6)]);
    await client.appendToStream(closed, fact(0));
    await client.tombstoneStream(closed);
    const damage = [
      () => rmSync(join(dataDir, 'index'), { recursive: true }),
      () => writeFileSync(join(dataDir, 'index', 'index.mdb'), Buffer.alloc(10_000, 3)),
      () => undefined,
    ];
    for (const [round, harm] of damage.entries()) {
      await client.dispose();
      await open.splice(0)[0]?.close();
      expect(existsSync(join(dataDir, 'index', 'index.mdb'))).toBe(true);
      harm();
      client = connect((await start()).connectionString);
      expect(await dataOf(client, 'a')).toEqual([0, 1, ...Array.from({ length: round }, (_, n) => n)]);
      expect(await dataOf(client, 'b')).toEqual([6]);
      await expect(dataOf(client, closed)).rejects.toMatchObject({ type: 'stream-deleted' });
      expect(await client.appendToStream('a', repeated)).toMatchObject({ nextExpectedRevision: 0n });
      const next = await client.appendToStream('a', fact(round), { expectedRevision: BigInt(1 + round) });
      expect(next.nextExpectedRevision).toBe(BigInt(2 + round));
    }
  });

  it('opens a folder once, from this process or another, and again when its owner was killed', async () => {
    const [, child] = await startProcess();
    await expect(startEmbeddedEventStore({ dataDir })).rejects.toMatchObject({ code: 'data-dir-locked' });
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    const store = await start();
    await expect(startEmbeddedEventStore({ dataDir })).rejects.toMatchObject({ code: 'data-dir-locked' });
    await store.close();
    await start();
  });

  it('says in one line why it does not start', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    const refused = (options: Parameters<typeof startEmbeddedEventStore>[0]) =>
      startEmbeddedEventStore(options).then(
        () => 'started',
        (error: { code: string; message: string }) => [error.code, error.message.split('\n').length],
      );
    expect(await refused({ dataDir, port })).toEqual(['port-taken', 1]);
    taken.close();
    const file = join(dataDir, 'file');
    writeFileSync(file, '');
    expect(await refused({ dataDir: join(file, 'folder') })).toEqual(['data-dir-unwritable', 1]);
    writeFileSync(join(dataDir, 'log', '0000000000000500.log'), '');
    expect(await refused({ dataDir })).toEqual(['log-corrupt', 1]);
  });

  it('stops cleanly on SIGTERM', async () => {
    const [connectionString, child] = await startProcess();
    const client = connect(connectionString);
    await client.appendToStream('a', fact(1));
    const ended = new Promise<unknown>((resolve) =>
      client
        .subscribeToAll()
        .on('data', () => undefined)
        .on('error', resolve),
    );
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(await ended).toMatchObject({ type: 'unavailable' });
  });

  it('holds little for a subscriber that does not read, and serves others meanwhile', async () => {
    const client = connect((await start()).connectionString);
    const slow = client.subscribeToStream('large', { fromRevision: START });
    await once(slow, 'confirmation');
    slow.pause();
    const before = process.memoryUsage.rss();
    const pad = 'x'.repeat(500_000);
    for (let n = 0; n < 120; n += 1) await client.appendToStream('large', fact(n, pad));
    // 60 MB were written; neither side may have piled them up for the subscriber.
    expect(process.memoryUsage.rss() - before).toBeLessThan(150_000_000);
    const seen: number[] = [];
    await new Promise<void>((resolve) => {
      slow.on('data', ({ event }) => {
        seen.push(Number(event?.revision));
        if (seen.length === 120) resolve();
      });
      slow.resume();
    });
    expect(seen).toEqual(Array.from({ length: 120 }, (_, n) => n));
    await slow.unsubscribe();
  });
});
