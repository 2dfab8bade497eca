import { Command, Option } from 'commander';
import { loadConfig } from '@app/config';
import { OpsError } from '../ops.errors';
import { BenchRun } from './bench-run';
import { measureCatchUp } from './catch-up.part';
import { measureCommands } from './commands.part';
import { measureErasure } from './erasure.part';
import { measureEventStore } from './event-store.part';
import { measureLists } from './lists.part';
import { measurePrivacyLog } from './privacy-log.part';
import { Report } from './report';
import { FULL, QUICK } from './scale';
import { measureSegments } from './segments.part';
import { SystemUnderTest } from './system-under-test';
import { memoryOf } from './thread-cpu';
import { measureVerification } from './verification.part';
import { measureVisible } from './visible.part';

const PARTS = [
  'event-store',
  'commands',
  'visible',
  'lists',
  'privacy-log',
  'segments',
  'catch-up',
  'erasure',
] as const;
type Part = (typeof PARTS)[number];
type Options = Readonly<{ only?: readonly Part[]; quick?: true; out: string }>;

const program = new Command('bench')
  .description(
    'Measures the system as it runs in production, beside bare calls to the same servers in the same run. It starts a ' +
      'standalone on a temporary folder, or on the servers that EVENTSTORE_URL and MONGODB_URL name. Prints a table and ' +
      'writes everything behind it as JSON.',
  )
  .addOption(new Option('--only <parts...>', 'measure these parts only').choices(PARTS))
  .addOption(new Option('--quick', 'small sizes and short rounds: shows that it works, not how fast'))
  .addOption(new Option('--out <dir>', 'where the JSON goes').default('bench-results'))
  .action((options: Options) => bench(options));

const bench = async ({ only, quick, out }: Options): Promise<void> => {
  const { eventStoreUrl, mongodbUrl } = loadConfig();
  if ((eventStoreUrl === undefined) !== (mongodbUrl === undefined)) {
    throw new OpsError('Set both EVENTSTORE_URL and MONGODB_URL, or neither.');
  }
  const servers = eventStoreUrl && mongodbUrl ? { eventStoreUrl, mongodbUrl } : null;
  const report = new Report(servers ? 'given by EVENTSTORE_URL and MONGODB_URL' : 'embedded', console.log);
  const progress = process.stderr.isTTY ? (line: string) => console.error(line) : () => undefined;
  const run = new BenchRun(new SystemUnderTest(servers), quick ? QUICK : FULL, report, progress);
  const wanted = (part: Part): boolean => only === undefined || only.includes(part);
  const memory = (what: string): void => {
    const part = 'Memory of the whole process';
    const { heldMiB = null, mappedMiB = null } = memoryOf(run.system.pid) ?? {};
    report.add({ part, what, value: heldMiB, unit: 'MiB' });
    report.add({ part, what: `${what}, mapped files beside it`, value: mappedMiB, unit: 'MiB' });
  };
  try {
    if (wanted('event-store')) await measureEventStore(run, servers?.eventStoreUrl ?? null);
    if (PARTS.some((part) => part !== 'event-store' && wanted(part))) {
      await run.start();
      memory('at start');
      // Bare appends of the command part would lie in the way of the readers, so it comes last.
      if (wanted('visible')) await measureVisible(run);
      if (wanted('lists')) await measureLists(run);
      if (wanted('privacy-log')) {
        await measurePrivacyLog(run);
        await measureVerification(run);
      }
      if (wanted('segments')) await measureSegments(run);
      if (wanted('catch-up')) await measureCatchUp(run);
      if (wanted('erasure')) await measureErasure(run);
      memory('after filling and reading');
      if (wanted('commands')) await measureCommands(run);
      memory('at the end');
    }
  } finally {
    await run.stop();
  }
  console.log(`\nEverything behind these figures: ${report.write(out)}`);
};

program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof OpsError ? error.message : error);
  process.exitCode = 1;
});
