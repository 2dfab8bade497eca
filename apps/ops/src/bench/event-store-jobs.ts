import {
  ANY,
  BACKWARDS,
  END,
  EventStoreDBClient,
  FORWARDS,
  START,
  excludeSystemEvents,
  jsonEvent,
  type AllStreamRecordedEvent,
} from '@eventstore/db-client';
import { runInFlight } from './in-flight';
import type { Handlers, RawEvent } from './jobs';
import { percentile } from './statistics';

/** Kept for the life of the process, so that every round meets a warm connection. */
const clients = new Map<string, EventStoreDBClient>();

/** A system event by its name: the projector's subscription leaves it out, so that the bare side costs the system nothing. */
const SAMPLE_TYPE = '$bench';
const QUIET_MS = 2_000;

const clientOf = (eventStoreUrl: string): EventStoreDBClient => {
  let client = clients.get(eventStoreUrl);
  if (!client) clients.set(eventStoreUrl, (client = EventStoreDBClient.connectionString(eventStoreUrl)));
  return client;
};

const streamOf = (index: number): string => `bench-${index}`;

const eventsOf = ({ type, data, metadata }: RawEvent, count: number) =>
  Array.from({ length: count }, () => jsonEvent({ type, data: { ...data }, metadata: { ...metadata } }));

export const runEventStoreJob = {
  rawAppend: async ({ eventStoreUrl, inFlight, stop, event, streams: { from, to }, batchSize }) => {
    const client = clientOf(eventStoreUrl);
    return runInFlight(inFlight, stop, (nth) =>
      client.appendToStream(streamOf(from + (nth % (to - from))), eventsOf(event, batchSize), {
        expectedRevision: ANY,
      }),
    );
  },

  rawFill: async ({ eventStoreUrl, event, streams: { from, to }, eventsEach, inFlight }) => {
    const client = clientOf(eventStoreUrl);
    return runInFlight(inFlight, { count: to - from }, (nth) =>
      client.appendToStream(streamOf(from + nth), eventsOf(event, eventsEach), { expectedRevision: ANY }),
    );
  },

  rawReadAppend: async ({ eventStoreUrl, event, streams: { from, to }, inFlight }) => {
    const client = clientOf(eventStoreUrl);
    return runInFlight(inFlight, { count: to - from }, async (nth) => {
      const stream = streamOf(from + nth);
      let revision = -1n;
      for await (const { event: read } of client.readStream(stream, {
        direction: FORWARDS,
        fromRevision: START,
      })) {
        if (read) revision = read.revision;
      }
      await client.appendToStream(stream, eventsOf(event, 1), { expectedRevision: revision });
    });
  },

  sample: async ({ eventStoreUrl, stream }) => {
    const newest = clientOf(eventStoreUrl).readStream(stream, {
      direction: BACKWARDS,
      fromRevision: END,
      maxCount: 1,
    });
    for await (const { event } of newest) {
      if (event) return { type: SAMPLE_TYPE, data: event.data as object, metadata: event.metadata as object };
    }
    throw new Error(`Stream ${stream} is empty.`);
  },

  rawReadAll: async ({ eventStoreUrl, eventsMax, how }) => {
    const client = clientOf(eventStoreUrl);
    const startedAt = performance.now();
    const rate = (count: number, endedAt: number) => ({
      count,
      perSecond: count / ((endedAt - startedAt) / 1_000),
    });
    let count = 0;
    if (how === 'iterate') {
      for await (const _ of client.readAll({ maxCount: eventsMax })) count += 1;
      return rate(count, performance.now());
    }
    if (how === 'flow') {
      const source = client.readAll({ maxCount: eventsMax });
      await new Promise<void>((resolve, reject) => {
        source.on('data', () => void (count += 1));
        source.on('end', resolve);
        source.on('error', reject);
      });
      return rate(count, performance.now());
    }
    // Ends after so many events, or where nothing more has come for a while; that while is not counted.
    const subscription = client.subscribeToAll({ fromPosition: START, filter: excludeSystemEvents() });
    let lastAt = startedAt;
    const quiet = setInterval(() => {
      if (performance.now() - lastAt > QUIET_MS) void subscription.unsubscribe();
    }, QUIET_MS / 10);
    for await (const _ of subscription) {
      count += 1;
      if (count % 64 === 0) lastAt = performance.now();
      if (count >= eventsMax) break;
    }
    clearInterval(quiet);
    return rate(count, lastAt);
  },

  rawDelivery: async ({ eventStoreUrl, event, times }) => {
    const client = clientOf(eventStoreUrl);
    const waiting = new Map<string, (at: number) => void>();
    const subscription = client.subscribeToAll({ fromPosition: END });
    subscription.on('data', ({ event: delivered }) => {
      const { id } = delivered as AllStreamRecordedEvent;
      waiting.get(id)?.(performance.now());
      waiting.delete(id);
    });
    await new Promise((resolve) => subscription.once('confirmation', resolve));
    const latencies: number[] = [];
    const round = await runInFlight(1, { count: times }, async () => {
      const [sent] = eventsOf(event, 1);
      const startedAt = performance.now();
      const delivered = new Promise<number>((resolve) => waiting.set(sent!.id, resolve));
      await client.appendToStream('bench-delivery', [sent!], { expectedRevision: ANY });
      latencies.push((await delivered) - startedAt);
    });
    await subscription.unsubscribe();
    return { ...round, p50Ms: percentile(latencies, 50), p99Ms: percentile(latencies, 99) };
  },
} satisfies Handlers;
