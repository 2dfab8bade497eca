import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig, serversOf } from './config';

describe('the configuration', () => {
  let directory: string;

  beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'regulars-config-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  const load = (environment: Record<string, string>) => loadConfig(environment, directory);

  it('needs nothing', () =>
    expect(load({})).toEqual({
      host: '127.0.0.1',
      port: 3000,
      mongodbName: 'regulars',
      dataDir: join(directory, '.regulars'),
      keysDir: join(directory, '.regulars', 'keys'),
      suppressErased: true,
      privacyLogName: 'regulars.local/privacy-log',
      logLevel: 'info',
    }));

  it('takes every setting', () =>
    expect(
      load({
        HOST: '0.0.0.0',
        PORT: '0',
        EVENTSTORE_URL: 'esdb+discover://a:2113,b:2113?tls=true',
        MONGODB_URL: 'mongodb://user:secret@a:27017,b:27017/loyalty?replicaSet=rs0',
        REGULARS_DATA_DIR: '/data',
        REGULARS_KEYS_DIR: 'elsewhere',
        KEYRING_URL: 'mongodb://keys:27017/ring',
        REGULARS_KMS_URL: 'https://vault:8200',
        REGULARS_KMS_TOKEN: 'hvs.token',
        REGULARS_KMS_KEY: 'loyalty',
        REGULARS_ADMIN_KEY: 'a-key-of-16-chars',
        PROJECTOR_PORT: '3001',
        REGULARS_REQUESTS_PER_MINUTE: '6000',
        PRIVACY_LOG_NAME: 'example.com/log',
        PRIVACY_WITNESS: 'witness.txt',
        LOG_LEVEL: 'warn',
      }),
    ).toEqual({
      host: '0.0.0.0',
      port: 0,
      eventStoreUrl: 'esdb+discover://a:2113,b:2113?tls=true',
      mongodbUrl: 'mongodb://user:secret@a:27017,b:27017/loyalty?replicaSet=rs0',
      mongodbName: 'loyalty',
      dataDir: '/data',
      keysDir: join(directory, 'elsewhere'),
      keyringUrl: 'mongodb://keys:27017/ring',
      keyService: { url: 'https://vault:8200', token: 'hvs.token', keyName: 'loyalty' },
      adminKey: 'a-key-of-16-chars',
      projectorPort: 3001,
      requestsPerMinute: 6000,
      suppressErased: true,
      privacyLogName: 'example.com/log',
      privacyWitness: join(directory, 'witness.txt'),
      logLevel: 'warn',
    }));

  it('keeps the keys in the data folder unless told otherwise', () =>
    expect(load({ REGULARS_DATA_DIR: '/data' }).keysDir).toBe('/data/keys'));

  it('reads .env below the environment', () => {
    writeFileSync(join(directory, '.env'), 'PORT=4000\nLOG_LEVEL=debug\n');
    expect(load({ PORT: '5000' })).toMatchObject({ port: 5000, logLevel: 'debug' });
  });

  it('takes an empty setting for none', () => expect(load({ PORT: ' ' }).port).toBe(3000));

  it.each([
    ['PORT', '65536'],
    ['PORT', '80a'],
    ['PORT', '-1'],
    ['PROJECTOR_PORT', '1.5'],
    ['EVENTSTORE_URL', 'http://secret@a:2113'],
    ['MONGODB_URL', 'secret'],
    ['MONGODB_URL', 'mongodb:///secret'],
    ['KEYRING_URL', 'secret'],
    ['REGULARS_KMS_URL', 'ftp://secret'],
    ['REGULARS_KMS_TOKEN', 'secret secret'],
    ['REGULARS_KMS_KEY', 'secret/secret'],
    ['REGULARS_ADMIN_KEY', 'secret'],
    ['REGULARS_ADMIN_KEY', 'secret secret secret'],
    ['REGULARS_REQUESTS_PER_MINUTE', '0'],
    ['PRIVACY_LOG_NAME', 'a secret+name'],
    ['LOG_LEVEL', 'loud'],
  ])('refuses %s=%s in one line that does not repeat the value', (name, value) => {
    let refusal: unknown;
    try {
      load({ [name]: value });
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(ConfigError);
    const { message } = refusal as Error;
    expect(message).toMatch(new RegExp(`^${name} is wrong: it takes .+\\.$`));
    expect(message).not.toContain(value);
  });

  it('takes address and token of a key service together', () => {
    for (const setting of [{ REGULARS_KMS_URL: 'https://vault:8200' }, { REGULARS_KMS_TOKEN: 'hvs.token' }])
      expect(() => load(setting)).toThrow(/must both be set/);
    const both = { REGULARS_KMS_URL: 'https://vault:8200', REGULARS_KMS_TOKEN: 'hvs.token' };
    expect(load(both).keyService?.keyName).toBe('regulars');
  });

  it('asks for both servers where none is started', () => {
    expect(() => serversOf(load({ EVENTSTORE_URL: 'esdb://a:2113?tls=false' }))).toThrow(ConfigError);
    expect(
      serversOf(load({ EVENTSTORE_URL: 'esdb://a:2113?tls=false', MONGODB_URL: 'mongodb://a:27017' })),
    ).toEqual({ eventStoreUrl: 'esdb://a:2113?tls=false', mongodbUrl: 'mongodb://a:27017' });
  });
});
