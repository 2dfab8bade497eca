import { demandNoErrors, type BenchRun } from './bench-run';
import type { Round } from './in-flight';

const PAGE_P99_MAX_MS = 20;
const SORTS = [
  'lastName',
  'firstName',
  'email',
  'city',
  'country',
  'language',
  'birthday',
  'registeredAt',
  'lastActivityAt',
  'lastCheckInAt',
  'points.main',
  'counts.purchases',
  'counts.checkIns',
  'spend.EUR',
].flatMap((column) => [column, `-${column}`]);

/** Pages of 50 of the contact list for every sort, walked by cursor, and the summary. */
export const measureLists = async (run: BenchRun): Promise<void> => {
  for (const size of run.scale.listSizes) {
    await run.fillTo(size);
    const part = `Contact list at ${size.toLocaleString('en')} contacts (pages of 50)`;
    const sorts: { sort: string; round: Round }[] = [];
    for (const sort of SORTS) {
      run.progress(`Walking the list at ${size} by ${sort} …`);
      await run.load.run('list', { ...run.at, sort, pages: 5 });
      const round = await run.load.run('list', { ...run.at, sort, pages: run.scale.listPages });
      demandNoErrors(`list by ${sort}`, round);
      sorts.push({ sort, round });
    }
    const typical = [...sorts].sort((a, b) => a.round.p50Ms - b.round.p50Ms)[Math.floor(sorts.length / 2)]!;
    const slowest = sorts.reduce((worst, next) => (next.round.p99Ms > worst.round.p99Ms ? next : worst));
    const details = Object.fromEntries(
      sorts.map(({ sort, round: { p50Ms, p99Ms } }) => [sort, { p50Ms, p99Ms }]),
    );
    run.report.add({
      part,
      what: `page p50, median of ${SORTS.length} sorts`,
      value: typical.round.p50Ms,
      unit: 'ms',
      details,
    });
    run.report.add({
      part,
      what: `page p99, slowest sort (${slowest.sort})`,
      value: slowest.round.p99Ms,
      unit: 'ms',
      target: { kind: 'value-max', value: PAGE_P99_MAX_MS },
    });
    const summary = await run.load.run('read', { ...run.at, path: '/contacts/summary', times: 20 });
    demandNoErrors('summary', summary);
    run.report.add({ part, what: 'summary p50', value: summary.p50Ms, unit: 'ms', details: summary });
    run.report.add({ part, what: 'summary p99', value: summary.p99Ms, unit: 'ms' });
  }
};
