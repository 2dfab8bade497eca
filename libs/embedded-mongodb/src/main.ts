import { parseArgs } from 'node:util';
import { startEmbeddedMongo } from './embedded-mongo';

const fail = (message: string): never => {
  process.stderr.write(`embedded-mongodb: ${message}\n`);
  process.exit(1);
};

const readOptions = (): { port: number; dataDir: string } => {
  const { values } = parseArgs({
    options: { port: { type: 'string', default: '27017' }, data: { type: 'string' } },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`--port ${values.port} is no port number`);
  if (!values.data) throw new Error('--data DIR is missing');
  return { port, dataDir: values.data };
};

const main = async (): Promise<void> => {
  const server = await startEmbeddedMongo(readOptions());
  process.stdout.write(`embedded-mongodb listening on ${server.address}\n`);
  server.failed.catch((error: Error) => fail(error.message));
  const stop = (): void => {
    server.close().then(
      () => process.exit(0),
      (error: Error) => fail(error.message),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
};

main().catch((error: Error) => fail(error.message));
