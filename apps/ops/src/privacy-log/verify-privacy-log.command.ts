import type { Config } from '@app/config';
import { LogFormatError, NoteError } from '@app/transparency-log';
import { Command, Option } from 'commander';
import { OpsError } from '../ops.errors';
import { type LogConnectionOptions, withApiKeyOptions, withRemoteLog } from './log-connection';
import { type Finding, verifyPrivacyLog } from './verify-privacy-log';

const BROKEN = 1;
const UNREADABLE = 2;

type Options = Partial<LogConnectionOptions> &
  Readonly<{ key: string; checkpoints?: string; verdicts?: string }>;

export const verifyPrivacyLogCommand = (config: Config): Command => {
  const command = withApiKeyOptions(
    new Command('verify-privacy-log')
      .summary('verify the privacy log, from an export or as it is served')
      .description(
        'Verifies an export of the privacy log by its key alone, without any server: whether each entry is the one that was ' +
          'signed (integrity) and whether all are there (completeness). With --url it verifies what a running instance serves, ' +
          'entries, tiles and checkpoint; with a file as well, also that both are the same log.',
      )
      .argument('[file]', 'export, as export-privacy-log writes it')
      .requiredOption(
        '--key <file>',
        'file of verifier keys, one a line: <key>, or <key> until <instant> for one that was replaced',
      )
      .addOption(new Option('--checkpoints <file>', 'checkpoints that a witness kept, one after another'))
      .addOption(new Option('--verdicts <file>', 'write a verdict for each entry of the export there'))
      .addOption(new Option('--url <address>', 'address of a running instance to verify'))
      .addHelpText(
        'after',
        '\nExit code: 0 whole, 1 integrity or completeness broken, 2 wrong usage or something could not be read.' +
          '\n\nWithout --checkpoints two things cannot be seen: that the newest entries were cut off together with their ' +
          'checkpoints, and that the holder of the signing key wrote the history anew.',
      ),
  );
  return command.action(async (file: string | undefined, options: Options) => {
    if (file === undefined && options.url === undefined) command.error('error: give a file, --url, or both.');
    if (file === undefined && options.verdicts !== undefined)
      command.error('error: --verdicts needs a file.');
    const what = { ...options, ...(file !== undefined && { file }) };
    const { url } = options;
    const { whole, text } = await readable(() =>
      url === undefined
        ? verifyPrivacyLog(what)
        : withRemoteLog({ ...options, url }, config, (log) => verifyPrivacyLog({ ...what, log })),
    );
    console.log(text);
    if (!whole) process.exitCode = BROKEN;
  });
};

/** Whatever keeps the log from being read is not to be taken for a verdict. */
const readable = async (verify: () => Promise<Finding>): Promise<Finding> => {
  try {
    return await verify();
  } catch (error) {
    const known =
      error instanceof OpsError ||
      error instanceof LogFormatError ||
      error instanceof NoteError ||
      (error instanceof Error && 'code' in error);
    throw new OpsError(known ? error.message : String((error as Error).stack), UNREADABLE);
  }
};
