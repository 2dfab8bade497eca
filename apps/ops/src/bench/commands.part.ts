import { boundOf, demandNoErrors, type BenchRun } from './bench-run';
import { benchContactId } from './http-jobs';
import type { Round } from './in-flight';
import type { Range, RawEvent } from './jobs';
import { IN_FLIGHT } from './scale';
import { median } from './statistics';
import type { CpuUse } from './thread-cpu';

type Setting = Readonly<{ what: string; contacts: Range; target: number }>;

/** Commands over HTTP beside bare appends of the same events to the same server, in turn. */
export const measureCommands = async (run: BenchRun): Promise<void> => {
  const { scale, at } = run;
  await run.fillTo(scale.coldTo);
  const warm = { from: 0, to: scale.warmTo };
  const hot = { from: scale.warmTo, to: scale.hotTo };
  run.progress('Warming contacts, making long streams …');
  await credit(run, warm, 256, scale.warmTo);
  await credit(run, hot, hot.to - hot.from, (hot.to - hot.from) * (scale.hotEvents - 4));
  await run.settle();
  const event = await run.bare.run('sample', { ...at, stream: `contact-${benchContactId(hot.from)}` });
  await run.bare.run('rawFill', {
    ...at,
    event,
    streams: { from: 0, to: scale.warmTo },
    eventsEach: 1,
    inFlight: 64,
  });

  await measureWarm(run, event, { what: 'warm contacts', contacts: warm, target: 0.35 });
  await measureWarm(run, event, {
    what: `hot contacts of ${scale.hotEvents} events`,
    contacts: hot,
    target: 0.35,
  });
  await measureCold(run, event);
};

const credit = async (run: BenchRun, contacts: Range, inFlight: number, count: number): Promise<void> => {
  demandNoErrors('credit', await run.load.run('credit', { ...run.at, contacts, inFlight, stop: { count } }));
};

const measureWarm = async (
  run: BenchRun,
  event: RawEvent,
  { what, contacts, target }: Setting,
): Promise<void> => {
  const { scale, at } = run;
  const streams = { from: 0, to: scale.warmTo };
  for (const inFlight of IN_FLIGHT) {
    const systemRounds = [];
    const bareRounds = [];
    // One round more than is counted: the first one warms connections and compiled code.
    for (let round = 0; round <= scale.roundCount; round += 1) {
      const stop = { durationMs: round === 0 ? scale.roundMs / 4 : scale.roundMs };
      const bare = await run.bare.run('rawAppend', { ...at, event, streams, inFlight, stop, batchSize: 1 });
      const system = await run.watched(() => run.load.run('credit', { ...at, contacts, inFlight, stop }));
      demandNoErrors(what, system);
      const { ms } = await run.settle();
      if (round === 0) continue;
      bareRounds.push(bare);
      systemRounds.push({ ...system, readModelsBehindMs: ms });
    }
    addFigure(
      run,
      `${what}, ${inFlight} in flight`,
      systemRounds,
      bareRounds,
      'bare append',
      inFlight === 32 ? target : undefined,
    );
  }
};

/** Each contact is used once, by a process that has never seen it. */
const measureCold = async (run: BenchRun, event: RawEvent): Promise<void> => {
  const { scale } = run;
  const perRound = scale.coldPerRound;
  const rawFrom = scale.warmTo;
  run.progress('Starting the system again, so that it knows no contact …');
  await run.bare.run('rawFill', {
    ...run.at,
    event,
    streams: { from: rawFrom, to: rawFrom + IN_FLIGHT.length * scale.roundCount * perRound },
    eventsEach: 4,
    inFlight: 64,
  });
  await run.restart();
  const warmUp = { from: scale.hotTo, to: scale.hotTo + scale.coldWarmUp };
  await credit(run, warmUp, 64, scale.coldWarmUp);
  await run.settle();
  let used = 0;
  for (const inFlight of IN_FLIGHT) {
    const systemRounds = [];
    const bareRounds = [];
    for (let round = 0; round < scale.roundCount; round += 1) {
      const streams = { from: rawFrom + used, to: rawFrom + used + perRound };
      bareRounds.push(await run.bare.run('rawReadAppend', { ...run.at, event, streams, inFlight }));
      const contacts = { from: warmUp.to + used, to: warmUp.to + used + perRound };
      const stop = { count: perRound };
      const system = await run.watched(() => run.load.run('credit', { ...run.at, contacts, inFlight, stop }));
      demandNoErrors('cold contacts', system);
      systemRounds.push({ ...system, readModelsBehindMs: (await run.settle()).ms });
      used += perRound;
    }
    addFigure(
      run,
      `cold contacts, ${inFlight} in flight`,
      systemRounds,
      bareRounds,
      'bare read and append',
      inFlight === 32 ? 0.8 : undefined,
    );
  }
};

type BareRound = Pick<Round, 'perSecond' | 'clientCpuSeconds' | 'seconds'>;
type SystemRound = BareRound & Readonly<{ cpu: CpuUse }>;

const addFigure = (
  run: BenchRun,
  what: string,
  system: readonly SystemRound[],
  bare: readonly BareRound[],
  bareIs: string,
  target: number | undefined,
): void => {
  const value = median(system.map(({ perSecond }) => perSecond));
  const bareValue = median(bare.map(({ perSecond }) => perSecond));
  const typical = system.find(({ perSecond }) => perSecond === value)!;
  run.report.add({
    part: 'Commands over HTTP (bare: appends of the same events)',
    what,
    value,
    unit: 'per s',
    bare: bareValue,
    ratio: value / bareValue,
    ...(target !== undefined && { target: { kind: 'ratio-min' as const, value: target } }),
    bound: boundOf(typical.cpu, typical.clientCpuSeconds / typical.seconds),
    details: { bareIs, system, bare },
  });
};
