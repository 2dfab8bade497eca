import { createLogger, loadConfig, type Config } from '@app/config';
import { endWith, live } from '../../api/src/process-life';
import { startStandalone } from './start-standalone';
import { welcome } from './welcome';

const settings = (): Config => {
  try {
    return loadConfig();
  } catch (error) {
    return endWith(error);
  }
};

const config = settings();
const logger = createLogger('standalone', config.logLevel);

void live(async () => {
  const standalone = await startStandalone(config, logger);
  process.stdout.write(welcome(standalone.api, config));
  return standalone;
}, logger);
