import { boundOf, demandNoErrors, type BenchRun } from './bench-run';
import type { Round } from './in-flight';
import { IN_FLIGHT } from './scale';
import { median } from './statistics';
import { watchCpu, type CpuUse } from './thread-cpu';

const PART = 'Contact reads over HTTP (bare: the same without the privacy log)';
const SHARE_MIN = 0.8;
const ACCESS_STREAM = 'privacylog-main';

type ReadRound = Round & Readonly<{ cpu: CpuUse }>;

/** Reads of contacts by an api with the privacy log and by one without, in turn; each read is an entry. */
export const measurePrivacyLog = async (run: BenchRun): Promise<void> => {
  const { scale, at, system } = run;
  await run.fillTo(scale.warmTo);
  const contacts = { from: 0, to: scale.warmTo };
  run.progress('Reading contacts with and without the privacy log …');
  const [logged, unlogged] = await Promise.all([system.startApi(at, true), system.startApi(at, false)]);
  try {
    for (const inFlight of IN_FLIGHT) {
      const rounds = { logged: [] as ReadRound[], unlogged: [] as ReadRound[] };
      for (let round = 0; round <= scale.roundCount; round += 1) {
        const stop = { durationMs: round === 0 ? scale.roundMs / 4 : scale.roundMs };
        for (const name of ['unlogged', 'logged'] as const) {
          const { url, key, pid } = name === 'logged' ? logged : unlogged;
          const read = await watchCpu(pid, () =>
            run.load.run('view', { url, key, contacts, inFlight, stop }),
          );
          demandNoErrors('contact reads', read);
          // What was logged is folded before the other one has its turn.
          await run.settle();
          if (round > 0) rounds[name].push(read);
        }
      }
      addFigures(run, inFlight, rounds.logged, rounds.unlogged);
    }
    const { type, data, metadata } = await run.bare.run('sample', { ...at, stream: ACCESS_STREAM });
    const stored = Buffer.byteLength(type + JSON.stringify(data) + JSON.stringify(metadata));
    run.report.add({ part: PART, what: 'event of a contact read', value: stored, unit: 'bytes' });
  } finally {
    await Promise.all([logged.stop(), unlogged.stop()]);
  }
};

const addFigures = (
  run: BenchRun,
  inFlight: number,
  logged: readonly ReadRound[],
  unlogged: readonly ReadRound[],
): void => {
  const value = median(logged.map(({ perSecond }) => perSecond));
  const bare = median(unlogged.map(({ perSecond }) => perSecond));
  const typical = logged.find(({ perSecond }) => perSecond === value)!;
  run.report.add({
    part: PART,
    what: `contact details, ${inFlight} in flight`,
    value,
    unit: 'per s',
    bare,
    ratio: value / bare,
    ...(inFlight === 32 && { target: { kind: 'ratio-min' as const, value: SHARE_MIN } }),
    bound: boundOf(typical.cpu, typical.clientCpuSeconds / typical.seconds),
    details: { logged, unlogged },
  });
};
