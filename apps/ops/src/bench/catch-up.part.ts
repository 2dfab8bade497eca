import type { BenchRun } from './bench-run';
import { median } from './statistics';

const TIMEOUT_MS = 300_000;
const BULK_SIZE = 1_000;

type CatchUpRound = Readonly<{
  events: number;
  eventsPerSecond: number;
  readPerSecond: number;
  documents: number;
  documentsPerSecond: number;
  /** What the events could be at best, if writing their documents were all there is to do. */
  writtenAsEventsPerSecond: number;
  collections: readonly object[];
}>;

/** A projector with an empty database, beside bare reads of the log and bare writes of the same documents. */
export const measureCatchUp = async (run: BenchRun): Promise<void> => {
  const { scale, at, system } = run;
  await run.fillAll();
  const { position } = await run.settle();
  const rounds: CatchUpRound[] = [];
  for (let round = 0; round < scale.roundCount; round += 1) {
    run.progress(`Catching up, round ${round + 1} …`);
    const dbName = `regulars_bench_${process.pid}_${round}`;
    const copyName = `${dbName}_bare`;
    const stopProjector = system.startProjector(at, dbName);
    try {
      const caughtUp = await run.bare.run('catchUp', { ...at, dbName, position, timeoutMs: TIMEOUT_MS });
      await stopProjector();
      const log = await run.bare.run('rawReadAll', {
        ...at,
        eventsMax: Number.MAX_SAFE_INTEGER,
        how: 'subscribe',
      });
      const read = await run.bare.run('rawReadAll', { ...at, eventsMax: log.count, how: 'iterate' });
      const replace = [];
      for (const inFlight of [1, 2]) {
        const target = { ...at, fromDb: dbName, toDb: copyName, bulkSize: BULK_SIZE, inFlight };
        replace.push(await run.bare.run('rawReplace', target));
        await run.bare.run('dropDatabase', { ...at, dbName: copyName });
      }
      const written = replace.reduce((best, next) => (next.perSecond > best.perSecond ? next : best));
      rounds.push({
        events: log.count,
        eventsPerSecond: (log.count * caughtUp.share) / caughtUp.seconds,
        readPerSecond: Math.max(read.perSecond, log.perSecond),
        documents: written.documents,
        documentsPerSecond: written.perSecond,
        writtenAsEventsPerSecond: log.count / written.seconds,
        collections: caughtUp.collections,
      });
    } finally {
      await stopProjector();
      await run.bare.run('dropDatabase', { ...at, dbName });
    }
  }
  const of = (pick: (round: CatchUpRound) => number): number => median(rounds.map(pick));
  const value = of(({ eventsPerSecond }) => eventsPerSecond);
  const read = of(({ readPerSecond }) => readPerSecond);
  const written = of(({ writtenAsEventsPerSecond }) => writtenAsEventsPerSecond);
  const part = 'Projector catch-up, all read models (bare: the slower of reading and writing)';
  run.report.add({
    part,
    what: 'events of the log',
    value,
    unit: 'per s',
    bare: Math.min(read, written),
    ratio: value / Math.min(read, written),
    target: { kind: 'ratio-min', value: 0.5 },
    bound: read < written ? 'reading the log' : 'writing the documents',
    details: rounds,
  });
  run.report.add({ part, what: 'bare: reading $all', value: read, unit: 'per s' });
  run.report.add({ part, what: 'bare: writing the documents of an event', value: written, unit: 'per s' });
  run.report.add({
    part,
    what: 'bare: bulk replace',
    value: of((round) => round.documentsPerSecond),
    unit: 'documents/s',
  });
};
