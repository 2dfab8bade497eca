import { join } from 'node:path';
import { AdminKeyKeeper, type AdminKey } from '@app/access';
import { nestLogger, type Config, type Logger, type Servers } from '@app/config';
import { createHttpApplication } from '@app/http';
import { ApiModule } from './api.module';

export type ApiOptions = Readonly<{
  config: Config;
  servers: Servers;
  logger: Logger;
  /** No other process makes keys in this log; see AdminKeyOptions. */
  ownsLog: boolean;
}>;

export type RunningApi = Readonly<{
  /** Such as `http://127.0.0.1:3000`. */
  url: string;
  adminKey: AdminKey;
  adminKeyFile: string;
  /** Answers what is under way, ends live feeds and lets the stores go. */
  close(): Promise<void>;
}>;

/** The port is taken, or the address is not one of this machine; the message is one line for people. */
export class ListenError extends Error {}

/** Starts the API; resolves when it listens and somebody can get in. Nothing is left running when it throws. */
export const startApi = async ({ config, servers, logger, ownsLog }: ApiOptions): Promise<RunningApi> => {
  const { host, port, dataDir, adminKey: configured, requestsPerMinute } = config;
  const app = await createHttpApplication(ApiModule.forRoot({ ...config, ...servers }), {
    logger: nestLogger(logger),
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
  });
  try {
    const file = join(dataDir, 'admin.key');
    const adminKey = await app
      .get(AdminKeyKeeper)
      .ensure({ file, ownsLog, ...(configured === undefined ? {} : { configured }) });
    // Not app.listen(), which also logs the error that is told here.
    const fastify = app.getHttpAdapter().getInstance();
    await fastify.listen({ port, host }).catch((error: NodeJS.ErrnoException) => {
      throw listenError(error, host, port);
    });
    return {
      url: urlOf(host, app.getHttpServer().address()),
      adminKey,
      adminKeyFile: file,
      close: () => app.close(),
    };
  } catch (error) {
    await app.close();
    throw error;
  }
};

const listenError = (error: NodeJS.ErrnoException, host: string, port: number): Error => {
  switch (error.code) {
    case 'EADDRINUSE':
      return new ListenError(`Port ${port} of ${host} is taken; set PORT to another one.`);
    case 'EACCES':
      return new ListenError(
        `Port ${port} of ${host} may not be used by this user; set PORT to another one.`,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ListenError(`${host} is no address of this machine; set HOST to one.`);
    default:
      return error;
  }
};

const urlOf = (host: string, address: unknown): string => {
  const { port } = address as { port: number };
  // Where it listens everywhere, this machine is reached by its own name.
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
};
