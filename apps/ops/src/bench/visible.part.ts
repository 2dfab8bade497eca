import { demandNoErrors, type BenchRun } from './bench-run';

/** From a command's answer to the answer of the list that shows it. */
export const measureVisible = async (run: BenchRun): Promise<void> => {
  const { scale } = run;
  await run.fillTo(scale.warmTo);
  const contacts = { from: 0, to: scale.warmTo };
  await run.load.run('visible', { ...run.at, contacts, times: 20 });
  const round = await run.load.run('visible', { ...run.at, contacts, times: scale.visibleTimes });
  demandNoErrors('visible', round);
  const part = 'Command answered → visible in the list';
  run.report.add({
    part,
    what: 'p50',
    value: round.p50Ms,
    unit: 'ms',
    target: { kind: 'value-max', value: 50 },
    details: round,
  });
  run.report.add({ part, what: 'p99', value: round.p99Ms, unit: 'ms' });
};
