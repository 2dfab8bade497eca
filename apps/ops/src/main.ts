import { Command, CommanderError } from 'commander';
import { config } from 'dotenv';
import { demoCommand } from './demo/demo.command';
import { loadPurchasesCommand } from './load-purchases/load-purchases.command';
import { OpsError } from './ops.errors';

const FAILED = 1;
const WRONG_USAGE = 2;

const run = async (): Promise<number> => {
  config({ quiet: true });
  const program = new Command('ops')
    .description("The operator's commands of Regulars.")
    .addHelpText('after', '\nExit code: 0 done, 1 failed, 2 wrong usage.')
    .addCommand(demoCommand(process.env))
    .addCommand(loadPurchasesCommand(process.env));
  for (const command of [program, ...program.commands])
    command.exitOverride().showHelpAfterError('Try --help.');
  try {
    await program.parseAsync();
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE;
    console.error(error instanceof OpsError ? error.message : error);
    return FAILED;
  }
};

void run().then((code) => (process.exitCode = code));
