import type { Config } from '@app/config';
import { Command, Option } from 'commander';
import { localUrl } from '../connection';
import { exportPrivacyLog } from './export-privacy-log';
import { type LogConnectionOptions, withApiKeyOptions, withRemoteLog } from './log-connection';

export const exportPrivacyLogCommand = (config: Config): Command =>
  withApiKeyOptions(
    new Command('export-privacy-log')
      .summary('write the privacy log into a file')
      .description(
        'Writes the privacy log of a running instance, up to its newest checkpoint, into a file that verify-privacy-log ' +
          'verifies without any server.\n\nThe file holds pseudonyms and field names, no personal values.',
      )
      .argument('<file>', 'the file to write; it must not be there yet')
      .addOption(new Option('--url <address>', 'address of the running instance').default(localUrl(config))),
  ).action(async (file: string, options: LogConnectionOptions) => {
    const count = await withRemoteLog(options, config, (log) => exportPrivacyLog(log, file));
    console.log(
      `Wrote ${count} entries and their checkpoint to ${file}. To verify it: verify-privacy-log ${file} --key <key file>. ` +
        'Take the key from where you keep it, not from the instance that is to be verified.',
    );
  });
