import { demandNoErrors, type BenchRun } from './bench-run';

const UNREACHABLE_MAX_MS = 1_000;

/** Erases the contacts that were registered last; nobody else uses them. */
export const measureErasure = async (run: BenchRun): Promise<void> => {
  const { at, scale } = run;
  const size = await run.fillAll();
  run.progress(`Erasing ${scale.erasures} contacts …`);
  const contacts = { from: size - scale.erasures, to: size };
  const round = await run.load.run('erase', { ...at, contacts });
  demandNoErrors('erasures', round);
  const part = `Erasure at ${size.toLocaleString('en')} contacts, from the call until nothing can be read`;
  run.report.add({ part, what: 'p50', value: round.p50Ms, unit: 'ms', details: round });
  run.report.add({
    part,
    what: 'p99',
    value: round.p99Ms,
    unit: 'ms',
    target: { kind: 'value-max', value: UNREACHABLE_MAX_MS },
  });
};
