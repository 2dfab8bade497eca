import { demandNoErrors, type BenchRun } from './bench-run';
import { Client } from './client';
import type { RawEvent } from './jobs';
import { median } from './statistics';
import { startEmbeddedEventStore } from './system-under-test';
import { memoryOf } from './thread-cpu';

/** What an EventStoreDB 24.6 on a disk with fsync did on a machine with two cores, its client beside it: the least to reach. */
const SINGLE_PER_S = new Map([
  [1, 1_288],
  [32, 6_202],
  [256, 11_698],
]);
const BATCH_PER_S = new Map([
  [1, 20_141],
  [8, 37_862],
]);
const BATCH_SIZE = 100;
const DELIVERY_TIMES = 300;

/** 406 bytes of JSON, the size at which the figures above were taken. */
const EVENT: RawEvent = { type: 'bench.Happened.v1', data: { text: 'x'.repeat(395) }, metadata: {} };

/** The event store by itself: an embedded one in a process of its own, or the one that is given. */
export const measureEventStore = async (run: BenchRun, given: string | null): Promise<void> => {
  const { scale, report } = run;
  const embedded = given === null ? await startEmbeddedEventStore() : null;
  const eventStoreUrl = given ?? embedded!.eventStoreUrl;
  const client = new Client();
  const part = embedded ? 'Embedded event store by itself' : 'Event store by itself';
  const least = (value: number | undefined) =>
    embedded && value !== undefined ? { target: { kind: 'value-min' as const, value } } : {};
  try {
    const streams = { from: 0, to: scale.rawStreams };
    await client.run('rawFill', { eventStoreUrl, event: EVENT, streams, eventsEach: 1, inFlight: 64 });
    for (const [batchSize, levels] of [[1, SINGLE_PER_S] as const, [BATCH_SIZE, BATCH_PER_S] as const]) {
      for (const [inFlight, perSecond] of levels) {
        const rounds = [];
        for (let round = 0; round < scale.roundCount; round += 1) {
          const stop = { durationMs: scale.roundMs };
          const answer = await client.run('rawAppend', {
            eventStoreUrl,
            event: EVENT,
            streams,
            inFlight,
            stop,
            batchSize,
          });
          demandNoErrors('append', answer);
          rounds.push(answer);
        }
        report.add({
          part,
          what: `append${batchSize === 1 ? '' : ` of ${batchSize} events`}, ${inFlight} in flight, events`,
          value: median(rounds.map((round) => round.perSecond * batchSize)),
          unit: 'per s',
          ...least(perSecond),
          details: rounds,
        });
      }
    }
    for (const [how, what] of [
      ['iterate', 'readAll with for await, events'],
      ['flow', "readAll with on('data'), events"],
      ['subscribe', 'subscribeToAll, catching up, events'],
    ] as const) {
      const rounds = [];
      for (let round = 0; round < scale.roundCount; round += 1) {
        rounds.push(await client.run('rawReadAll', { eventStoreUrl, eventsMax: scale.rawEvents, how }));
      }
      report.add({
        part,
        what,
        value: median(rounds.map(({ perSecond }) => perSecond)),
        unit: 'per s',
        details: rounds,
      });
    }
    const delivery = await client.run('rawDelivery', { eventStoreUrl, event: EVENT, times: DELIVERY_TIMES });
    report.add({ part, what: 'append → delivery p50', value: delivery.p50Ms, unit: 'ms', details: delivery });
    report.add({ part, what: 'append → delivery p99', value: delivery.p99Ms, unit: 'ms' });
    if (embedded)
      report.add({ part, what: 'memory held', value: memoryOf(embedded.pid)?.heldMiB ?? null, unit: 'MiB' });
  } finally {
    client.stop();
    await embedded?.stop();
  }
};
