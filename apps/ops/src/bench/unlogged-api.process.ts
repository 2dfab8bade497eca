import { createLogger, nestLogger } from '@app/config';
import { AccessLog, createHttpApplication } from '@app/http';
import { ApiModule } from '../../../api/src/api.module';
import { settingsOrEnd } from '../../../api/src/process-life';

/** The api without its privacy log, which no setting can turn off: what the log costs is seen beside it. */
const start = async (): Promise<void> => {
  const { config, servers } = settingsOrEnd();
  const logger = createLogger('api', 'warn');
  const app = await createHttpApplication(ApiModule.forRoot({ ...config, ...servers }), {
    logger: nestLogger(logger),
  });
  app.get(AccessLog).record = () => Promise.resolve();
  await app.listen(0, '127.0.0.1');
  process.stdout.write(`${await app.getUrl()}\n`);
  process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
};

void start();
