import type { Config } from '@app/config';
import { type Command, Option } from 'commander';
import { connectionOf } from '../connection';
import { RegularsApi } from '../regulars-api';
import { RemoteLog } from './remote-log';

const PATIENCE_MS = 30_000;

export type LogConnectionOptions = Readonly<{ url: string; apiKey?: string; apiKeyFile?: string }>;

/** As other commands have them, but that `--key` is the key that verifies the log. */
export const withApiKeyOptions = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '--api-key <key>',
        'API key of an auditor or admin (default: REGULARS_ADMIN_KEY, else from the file)',
      ),
    )
    .addOption(
      new Option(
        '--api-key-file <file>',
        'file that holds the API key (default: <data dir>/admin.key)',
      ).conflicts('apiKey'),
    );

/** Does something with the log of a running instance and takes leave of it. */
export const withRemoteLog = async <T>(
  { url, apiKey, apiKeyFile }: LogConnectionOptions,
  config: Config,
  use: (log: RemoteLog) => Promise<T>,
): Promise<T> => {
  const options = { url, ...(apiKey && { key: apiKey }), ...(apiKeyFile && { keyFile: apiKeyFile }) };
  const api = new RegularsApi(connectionOf(options, config, 'api-key'), {
    connections: 1,
    patienceMs: PATIENCE_MS,
  });
  try {
    return await use(new RemoteLog(api));
  } finally {
    await api.close();
  }
};
