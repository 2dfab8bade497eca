import { createLogger, loadConfig, serversOf, type Config, type Servers } from '@app/config';
import { endWith, live } from './process-life';
import { startApi } from './start-api';

const settings = (): Readonly<{ config: Config; servers: Servers }> => {
  try {
    const config = loadConfig();
    return { config, servers: serversOf(config) };
  } catch (error) {
    return endWith(error);
  }
};

const { config, servers } = settings();
const logger = createLogger('api', config.logLevel);

void live(async () => {
  const api = await startApi({ config, servers, logger, ownsLog: false });
  logger.info({ url: api.url, adminKey: api.adminKey.kind }, 'Listening.');
  if (api.adminKey.kind === 'created') logger.info({ file: api.adminKeyFile }, 'Made an admin key.');
  return { failed: new Promise(() => undefined), close: () => api.close() };
}, logger);
