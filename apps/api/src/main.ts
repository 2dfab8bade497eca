import { createLogger } from '@app/config';
import { live, settingsOrEnd } from './process-life';
import { startApi } from './start-api';

const { config, servers } = settingsOrEnd();
const logger = createLogger('api', config.logLevel);

void live(async () => {
  const api = await startApi({ config, servers, logger, ownsLog: false });
  logger.info({ url: api.url, adminKey: api.adminKey.kind }, 'Listening.');
  if (api.adminKey.kind === 'created') logger.info({ file: api.adminKeyFile }, 'Made an admin key.');
  return { failed: new Promise(() => undefined), close: () => api.close() };
}, logger);
