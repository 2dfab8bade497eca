import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'dotenv';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What the environment says, checked; plain data, so that it can be handed to a worker thread. */
export type Config = Readonly<{
  host: string;
  /** 0: any free port. */
  port: number;
  eventStoreUrl?: string;
  mongodbUrl?: string;
  /** The read database: the one that MONGODB_URL names, else `regulars`. */
  mongodbName: string;
  /** Absolute paths. */
  dataDir: string;
  keysDir: string;
  /** A MongoDB of its own that has the keys instead of `keysDir`. */
  keyringUrl?: string;
  /** What unwraps the key-encryption key; absent: it lies in a file of `keysDir`. */
  keyService?: Readonly<{ url: string; token: string; keyName: string }>;
  adminKey?: string;
  /** Where a projector of its own answers health and metrics; absent: nowhere. */
  projectorPort?: number;
  /** Requests a minute that one API key may send; absent: no limit. */
  requestsPerMinute?: number;
  /** Whether an erasure leaves a keyed hash of the e-mail behind, which stops imports and invitations. */
  suppressErased: boolean;
  /** Name of the privacy log's keys, and origin of its checkpoints. */
  privacyLogName: string;
  /** Whom checkpoints of the privacy log are handed to: a file (absolute path) or an http(s) address; absent: nobody. */
  privacyWitness?: string;
  logLevel: LogLevel;
}>;

/** The addresses of real servers. */
export type Servers = Readonly<{ eventStoreUrl: string; mongodbUrl: string }>;

/** A setting is wrong. The message names it and says what it takes, and never repeats its value: it may be a secret. */
export class ConfigError extends Error {}

export type Environment = Readonly<Record<string, string | undefined>>;

const MONGODB_NAME = 'regulars';
const PRIVACY_LOG_NAME = 'regulars.local/privacy-log';
const KMS_KEY = 'regulars';
const ADMIN_KEY_LENGTH_MIN = 16;

/** Reads the environment, and `.env` in the working directory for what it does not set. Throws ConfigError. */
export const loadConfig = (
  environment: Environment = process.env,
  directory: string = process.cwd(),
): Config => {
  const settings = { ...readEnvFile(join(directory, '.env')), ...environment };
  // An empty setting is one that is not made: `KEY= npm start` and compose files write it so.
  const setting = (name: string): string | undefined => settings[name]?.trim() || undefined;

  const eventStoreUrl = checked(
    'EVENTSTORE_URL',
    setting('EVENTSTORE_URL'),
    isEventStoreUrl,
    'an esdb:// address',
  );
  const mongodbUrl = checked('MONGODB_URL', setting('MONGODB_URL'), isMongodbUrl, 'a mongodb:// address');
  const keyringUrl = checked('KEYRING_URL', setting('KEYRING_URL'), isMongodbUrl, 'a mongodb:// address');
  const keyService = keyServiceOf(setting);
  const adminKey = checked(
    'REGULARS_ADMIN_KEY',
    setting('REGULARS_ADMIN_KEY'),
    isKey,
    `at least ${ADMIN_KEY_LENGTH_MIN} visible ASCII characters without spaces`,
  );
  const port = portOf('PORT', setting('PORT'));
  const projectorPort = portOf('PROJECTOR_PORT', setting('PROJECTOR_PORT'));
  const requestsPerMinute = checked(
    'REGULARS_REQUESTS_PER_MINUTE',
    setting('REGULARS_REQUESTS_PER_MINUTE'),
    (value) => /^[1-9]\d{0,6}$/.test(value),
    'a whole number from 1 to 9999999',
  );
  const logLevel = checked('LOG_LEVEL', setting('LOG_LEVEL'), isLogLevel, `one of ${LOG_LEVELS.join(', ')}`);
  const suppression = checked(
    'REGULARS_SUPPRESSION',
    setting('REGULARS_SUPPRESSION'),
    (value) => value === 'on' || value === 'off',
    '`on` or `off`',
  );
  const privacyLogName = checked(
    'PRIVACY_LOG_NAME',
    setting('PRIVACY_LOG_NAME'),
    (value) => /^[!-*,-~]{1,200}$/.test(value),
    'up to 200 visible ASCII characters without "+", such as example.com/privacy-log',
  );
  const witness = setting('PRIVACY_WITNESS');
  const dataDir = resolve(directory, setting('REGULARS_DATA_DIR') ?? '.regulars');
  return {
    host: setting('HOST') ?? '127.0.0.1',
    port: port ?? 3000,
    mongodbName: (mongodbUrl && databaseOf(mongodbUrl)) || MONGODB_NAME,
    dataDir,
    keysDir: resolve(directory, setting('REGULARS_KEYS_DIR') ?? join(dataDir, 'keys')),
    suppressErased: suppression !== 'off',
    privacyLogName: privacyLogName ?? PRIVACY_LOG_NAME,
    logLevel: logLevel ?? 'info',
    ...(witness && { privacyWitness: isHttpUrl(witness) ? witness : resolve(directory, witness) }),
    ...(eventStoreUrl && { eventStoreUrl }),
    ...(mongodbUrl && { mongodbUrl }),
    ...(keyringUrl && { keyringUrl }),
    ...(keyService && { keyService }),
    ...(adminKey && { adminKey }),
    ...(projectorPort !== undefined && { projectorPort }),
    ...(requestsPerMinute && { requestsPerMinute: Number(requestsPerMinute) }),
  };
};

/** For processes that start no embedded servers. Throws ConfigError where an address is missing. */
export const serversOf = ({ eventStoreUrl, mongodbUrl }: Config): Servers => {
  if (!eventStoreUrl || !mongodbUrl) {
    throw new ConfigError(
      'EVENTSTORE_URL and MONGODB_URL must both be set; only the standalone starts servers of its own.',
    );
  }
  return { eventStoreUrl, mongodbUrl };
};

/** Address and token belong together. */
const keyServiceOf = (setting: (name: string) => string | undefined): Config['keyService'] => {
  const url = checked('REGULARS_KMS_URL', setting('REGULARS_KMS_URL'), isHttpUrl, 'an http(s):// address');
  const token = checked(
    'REGULARS_KMS_TOKEN',
    setting('REGULARS_KMS_TOKEN'),
    (value) => /^[!-~]+$/.test(value),
    'visible ASCII characters without spaces',
  );
  const keyName = checked(
    'REGULARS_KMS_KEY',
    setting('REGULARS_KMS_KEY'),
    (value) => /^[\w.-]{1,128}$/.test(value),
    'letters, digits, dots, hyphens and underscores',
  );
  if ((url === undefined) !== (token === undefined))
    throw new ConfigError('REGULARS_KMS_URL and REGULARS_KMS_TOKEN must both be set, or neither.');
  return url === undefined || token === undefined ? undefined : { url, token, keyName: keyName ?? KMS_KEY };
};

const readEnvFile = (path: string): Environment => {
  try {
    return parse(readFileSync(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new ConfigError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
};

function checked<T extends string>(
  name: string,
  value: string | undefined,
  accept: (value: string) => value is T,
  takes: string,
): T | undefined;
function checked(
  name: string,
  value: string | undefined,
  accept: (value: string) => boolean,
  takes: string,
): string | undefined;
function checked(
  name: string,
  value: string | undefined,
  accept: (value: string) => boolean,
  takes: string,
): string | undefined {
  if (value === undefined || accept(value)) return value;
  throw new ConfigError(`${name} is wrong: it takes ${takes}.`);
}

const isPort = (value: string): boolean => /^\d{1,5}$/.test(value) && Number(value) <= 65_535;
const isEventStoreUrl = (value: string): boolean => /^esdb(\+discover)?:\/\/[^\s/?]+/.test(value);
const isMongodbUrl = (value: string): boolean => /^mongodb(\+srv)?:\/\/[^\s/?]+/.test(value);
const isHttpUrl = (value: string): boolean =>
  URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
const isKey = (value: string): boolean => value.length >= ADMIN_KEY_LENGTH_MIN && /^[!-~]+$/.test(value);
const isLogLevel = (value: string): value is LogLevel => (LOG_LEVELS as readonly string[]).includes(value);

const portOf = (name: string, value: string | undefined): number | undefined => {
  const port = checked(name, value, isPort, 'a whole number from 0 to 65535');
  return port === undefined ? undefined : Number(port);
};

/** The path of a connection string; hosts may be a list, which URL does not parse. */
const databaseOf = (mongodbUrl: string): string | undefined =>
  /^mongodb(?:\+srv)?:\/\/[^/?]+\/([^?]+)/.exec(mongodbUrl)?.[1];
