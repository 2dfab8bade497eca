import { createLogger } from '@app/config';
import { live, settingsOrEnd } from '../../api/src/process-life';
import { startProjector } from './start-projector';

const { config, servers } = settingsOrEnd();
const logger = createLogger('projector', config.logLevel);

void live(async () => {
  const projector = await startProjector({ config, servers, logger });
  logger.info('Projecting.');
  return projector;
}, logger);
