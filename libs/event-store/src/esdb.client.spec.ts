import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedEventStore, type EmbeddedEventStore } from '@app/embedded-eventstoredb';
import { EsdbClient } from './esdb.client';
import { EsdbEventStore } from './esdb.event-store';
import { eventStoreContract } from './event-store.contract';
import { AppendTooLargeError, LogBehindReaderError } from './event-store.errors';
import { UnknownOutcomeError } from './event-store.port';
import { contextOf, noted, openTestKeys, testCodec, type TestKeys } from './event-store.suite';

let dataDir: string;
let server: EmbeddedEventStore;
let keys: TestKeys;
let client: EsdbClient;
let store: EsdbEventStore;

const stop = async () => {
  await client.close();
  await server.close();
  await keys.close();
  await rm(dataDir, { recursive: true, force: true });
};

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'regulars-log-'));
  server = await startEmbeddedEventStore({ dataDir });
  keys = await openTestKeys();
  client = new EsdbClient(server.connectionString);
  store = new EsdbEventStore(client, testCodec(keys), { quietMs: 200 });
});
afterAll(stop, 30_000);

eventStoreContract('on the embedded server', () =>
  Promise.resolve({ store, close: () => Promise.resolve() }),
);

describe('EsdbClient', () => {
  const restart = async (whileDown?: () => void) => {
    const port = Number(server.address.split(':')[1]);
    const closed = server.close();
    whileDown?.();
    await closed;
    server = await startEmbeddedEventStore({ dataDir, port });
  };

  it('goes on after the event store was away, without a gap, a duplicate or a lost append', async () => {
    const done = new AbortController();
    const states: string[] = [];
    const delivered: number[] = [];
    const subscription = store.subscribe({
      after: await store.head(),
      batchSizeMax: 5,
      signal: done.signal,
      onState: (state) => states.push(state),
    });
    const total = 120;
    const reading = (async () => {
      for await (const batch of subscription) {
        delivered.push(...batch.map(({ data }) => (data as { n: number }).n));
        if (delivered.length >= total) done.abort();
      }
    })();
    let next = 0;
    let goOn: () => void = () => undefined;
    const down = new Promise<void>((resolve) => (goOn = resolve));
    const writer = async () => {
      for (let n = next++; n < total; n = next++) {
        if (n >= total / 2) await down;
        const { revision } = await store.append(
          `test-${randomUUID()}`,
          [noted(n)],
          'no-stream',
          contextOf({ deadlineMs: Date.now() + 20_000 }),
        );
        expect(revision).toBe(0);
      }
    };
    const writing = Promise.all(Array.from({ length: 8 }, writer));
    while (next < total / 2) await new Promise((resolve) => setTimeout(resolve, 1));
    await restart(goOn);
    await writing;
    await reading;
    expect([...delivered].sort((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, n) => n));
    expect(states[0]).toBe('live');
    expect(states).toContain('cut');
    expect(states.at(-1)).toBe('live');
  });

  it('says that the outcome is unknown where nobody answers in time', async () => {
    const nobody = new EsdbClient('esdb://127.0.0.1:1?tls=false');
    const context = contextOf({ deadlineMs: Date.now() + 300 });
    const append = new EsdbEventStore(nobody, testCodec(keys)).append(
      'test-1',
      [noted(1)],
      'no-stream',
      context,
    );
    await expect(append).rejects.toThrow(UnknownOutcomeError);
    const facts = [{ event: noted(1), context }];
    const record = new EsdbEventStore(nobody, testCodec(keys)).record('test-1', facts, Date.now() + 300);
    await expect(record).rejects.toThrow(UnknownOutcomeError);
    await nobody.close();
  });

  it('refuses more than one append can hold', async () => {
    const events = Array.from({ length: 2 }, (_, n) => noted(n, { key: 'x'.repeat(600_000) }));
    await expect(store.append('test-1', events, 'no-stream', contextOf())).rejects.toThrow(
      AppendTooLargeError,
    );
  });

  it('reads a long stream whole', async () => {
    const events = Array.from({ length: 1_024 }, (_, n) => noted(n));
    await store.append('test-long', events, 'no-stream', contextOf());
    const read: number[] = [];
    for await (const { data } of store.readStream('test-long')) read.push((data as { n: number }).n);
    expect(read).toEqual(events.map(({ data }) => data.n));
  });

  it('notices a log that ends before what was handled', async () => {
    const handled = 10n ** 12n;
    const reading = (async () => {
      const options = { after: handled, batchSizeMax: 10, signal: AbortSignal.timeout(10_000) };
      for await (const batch of store.subscribe(options)) expect(batch).toEqual([]);
    })();
    await expect(reading).rejects.toThrow(LogBehindReaderError);
  });

  it('keeps two clients of one process apart when one loses its server', async () => {
    const nobody = new EsdbClient('esdb://127.0.0.1:1?tls=false');
    const other = new EsdbEventStore(nobody, testCodec(keys));
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, (_, n) => [
        other.append(`test-${n}`, [noted(n)], 'no-stream', contextOf({ deadlineMs: Date.now() + 300 })),
        store.append(`test-${randomUUID()}`, [noted(n)], 'no-stream', contextOf()),
      ]).flat(),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(50);
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(50);
    await nobody.close();
  });
});
