import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { OpsError } from './ops.errors';

/** Where a running instance answers, and the key to it. */
export type Connection = Readonly<{ url: string; key: string }>;

export type ConnectionOptions = Readonly<{ url: string; key?: string; keyFile?: string }>;

const DATA_DIR = '.regulars';

/** The options that every command takes which speaks to a running instance. */
export const withConnectionOptions = (command: Command, env: NodeJS.ProcessEnv): Command =>
  command
    .addOption(
      new Option('--url <address>', 'address of the running instance').default(
        env['REGULARS_URL'] ?? `http://${env['HOST'] ?? '127.0.0.1'}:${env['PORT'] ?? '3000'}`,
      ),
    )
    .addOption(new Option('--key <key>', 'API key (default: REGULARS_ADMIN_KEY, then the key file)'))
    .addOption(
      new Option(
        '--key-file <file>',
        `file that holds the API key (default: <data dir>/admin.key)`,
      ).conflicts('key'),
    );

/** Finds the key: the option, then REGULARS_ADMIN_KEY, then the file that a standalone wrote at its first start. */
export const connectionOf = (options: ConnectionOptions, env: NodeJS.ProcessEnv): Connection => {
  const url = options.url.replace(/\/+$/, '');
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new OpsError(`--url ${options.url} is not an http address.`);
  }
  if (options.key !== undefined) return { url, key: options.key };
  const fromEnvironment = env['REGULARS_ADMIN_KEY'];
  if (options.keyFile === undefined && fromEnvironment) return { url, key: fromEnvironment };
  const file = options.keyFile ?? join(env['REGULARS_DATA_DIR'] ?? DATA_DIR, 'admin.key');
  try {
    return { url, key: readFileSync(file, 'utf8').trim() };
  } catch (error) {
    throw new OpsError(
      `No API key: ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'}). ` +
        'Give --key or --key-file, or set REGULARS_ADMIN_KEY.',
    );
  }
};
