import { createLogger, loadConfig, serversOf, type Config, type Servers } from '@app/config';
import { endWith, live } from '../../api/src/process-life';
import { startProjector } from './start-projector';

const settings = (): Readonly<{ config: Config; servers: Servers }> => {
  try {
    const config = loadConfig();
    return { config, servers: serversOf(config) };
  } catch (error) {
    return endWith(error);
  }
};

const { config, servers } = settings();
const logger = createLogger('projector', config.logLevel);

void live(async () => {
  const projector = await startProjector({ config, servers, logger });
  logger.info('Projecting.');
  return projector;
}, logger);
