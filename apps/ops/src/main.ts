import { ConfigError, loadConfig } from '@app/config';
import { Command, CommanderError } from 'commander';
import { demoCommand } from './demo/demo.command';
import { eraseCommand } from './erase/erase.command';
import { keysCommand } from './keys/keys.command';
import { loadPurchasesCommand } from './load-purchases/load-purchases.command';
import { OpsError } from './ops.errors';
import { exportPrivacyLogCommand } from './privacy-log/export-privacy-log.command';
import { verifyPrivacyLogCommand } from './privacy-log/verify-privacy-log.command';
import { throwOnWrongUsage } from './usage';

const FAILED = 1;
const WRONG_USAGE = 2;

const run = async (): Promise<void> => {
  const config = loadConfig();
  const program = new Command('ops')
    .description("The operator's commands of Regulars.")
    .addHelpText('after', '\nExit code: 0 done, 1 failed, 2 wrong usage.')
    .addCommand(demoCommand(config))
    .addCommand(loadPurchasesCommand(config))
    .addCommand(eraseCommand(config))
    .addCommand(keysCommand(config))
    .addCommand(exportPrivacyLogCommand(config))
    .addCommand(verifyPrivacyLogCommand(config));
  await throwOnWrongUsage(program).parseAsync();
};

run().catch((error: unknown) => {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : WRONG_USAGE;
    return;
  }
  console.error(error instanceof OpsError || error instanceof ConfigError ? error.message : error);
  process.exitCode = error instanceof OpsError ? error.exitCode : FAILED;
});
