import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '@app/config';
import { Option, type Command } from 'commander';
import { OpsError } from './ops.errors';

/** Where a running instance answers, and the key to it. */
export type Connection = Readonly<{
  url: string;
  key: string;
  /** A shell word that gives the key. */ keyWord: string;
}>;

export type ConnectionOptions = Readonly<{ url: string; key?: string; keyFile?: string }>;

/** Where an instance of this configuration answers on this machine. */
export const localUrl = ({ host, port }: Config): string =>
  `http://${host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host}:${port}`;

/** The options that every command takes which speaks to a running instance. */
export const withConnectionOptions = (command: Command, config: Config): Command =>
  command
    .addOption(new Option('--url <address>', 'address of the running instance').default(localUrl(config)))
    .addOption(new Option('--key <key>', 'API key (default: REGULARS_ADMIN_KEY, else from the key file)'))
    .addOption(
      new Option(
        '--key-file <file>',
        'file that holds the API key (default: <data dir>/admin.key)',
      ).conflicts('key'),
    );

/** Finds the key: the option, then REGULARS_ADMIN_KEY, then the file that a standalone wrote at its first start. */
export const connectionOf = (
  options: ConnectionOptions,
  { adminKey, dataDir }: Config,
  optionName: 'key' | 'api-key' = 'key',
): Connection => {
  if (!URL.canParse(options.url) || !/^https?:$/.test(new URL(options.url).protocol)) {
    throw new OpsError(`--url ${options.url} is not an http address.`);
  }
  const url = new URL(options.url).origin;
  if (options.key !== undefined) return { url, key: options.key, keyWord: "'…'  # the key you gave" };
  if (options.keyFile === undefined && adminKey)
    return { url, key: adminKey, keyWord: '$REGULARS_ADMIN_KEY' };
  const file = options.keyFile ?? join(dataDir, 'admin.key');
  try {
    return { url, key: readFileSync(file, 'utf8').trim(), keyWord: `$(cat '${file}')` };
  } catch (error) {
    throw new OpsError(
      `No API key: ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}). ` +
        `Give --${optionName} or --${optionName}-file, or set REGULARS_ADMIN_KEY.`,
    );
  }
};
