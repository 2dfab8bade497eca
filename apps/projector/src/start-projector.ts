import { setTimeout as sleep } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { nestLogger, type Config, type Logger, type Servers } from '@app/config';
import { EventStore } from '@app/event-store';
import { Clock } from '@app/kernel';
import { MongoReadStore, ProjectionRunner, READ_DB, type RunnerStatus } from '@app/read-store';
import { FillState, MongoSegmentStore, SegmentEngine } from '@app/segments';
import { checkpointSignerOf } from './checkpoint-signing';
import { automationsLease, automationsOf, runAutomations } from './automations';
import { startMonitoring, type ProjectorStatus } from './monitoring';
import { ProjectorModule } from './projector.module';
import { readModels } from '@app/system';

export type ProjectorOptions = Readonly<{ config: Config; servers: Servers; logger: Logger }>;

export type RunningProjector = Readonly<{
  status: () => Promise<ProjectorStatus>;
  /** Resolves if it stops without having been asked to: an event that cannot be folded, a foreign read database. */
  failed: Promise<Error>;
  /** Finishes the batch at hand and lets the stores go. */
  close: () => Promise<void>;
}>;

const RUNNER_NAME = 'projector';
const PATIENCE_MS = 1_000;

/**
 * Starts folding every read model, the automations, and the signer of the privacy log. Resolves when both stores were reached; it need not have caught up.
 * Throws where they cannot be reached, with nothing left running.
 */
export const startProjector = async ({
  config,
  servers,
  logger,
}: ProjectorOptions): Promise<RunningProjector> => {
  const app = await NestFactory.createApplicationContext(ProjectorModule.forRoot(config, servers), {
    logger: nestLogger(logger),
    abortOnError: false,
  });
  const events = app.get(EventStore);
  const store = new MongoReadStore(app.get(READ_DB));
  const segments = new SegmentEngine({
    store: new MongoSegmentStore(app.get(READ_DB), store),
    fills: new FillState(app.get(READ_DB)),
    events,
    clock: app.get(Clock),
    onTrouble: (err) => logger.warn({ err }, 'Memberships are behind; it will be tried again.'),
  });
  const runner = new ProjectionRunner({
    name: RUNNER_NAME,
    events,
    store,
    readModels,
    foldings: [segments],
    onState: (status) => logState(logger, status),
  });

  const status = async (): Promise<ProjectorStatus> => {
    const head = await Promise.race([
      events
        .head()
        .then((position) => position ?? 0n)
        .catch(() => null),
      sleep(PATIENCE_MS, null, { ref: false }),
    ]);
    const { state, eventsCount, error, position: reached } = runner.status();
    const position = reached ?? 0n;
    const lag = head === null ? null : head > position ? head - position : 0n;
    return {
      state,
      eventsCount,
      position: position.toString(),
      head: head?.toString() ?? null,
      lag: lag?.toString() ?? null,
      ...(error && { error: error.constructor.name }),
    };
  };

  const monitoring =
    config.projectorPort === undefined
      ? undefined
      : await startMonitoring(config.host, config.projectorPort, status).catch(async (error: unknown) => {
          await app.close();
          throw error;
        });

  const stopping = new AbortController();
  const running = runner.run(stopping.signal);
  const following = segments.run(stopping.signal);
  const signing = checkpointSignerOf(app, config, logger).run(stopping.signal);
  const automating = runAutomations(
    automationsOf(app, logger),
    automationsLease(app),
    app.get(Clock),
    logger,
    stopping.signal,
  );
  const failed = new Promise<Error>((resolve) => running.catch(resolve));
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    stopping.abort();
    await Promise.allSettled([running, following, automating, signing]);
    if (monitoring) {
      await new Promise((done) => {
        monitoring.close(done);
        monitoring.closeAllConnections();
      });
    }
    await app.close();
  };
  return { status, failed, close: () => (closed ??= close()) };
};

const logState = (logger: Logger, { state, position, error }: RunnerStatus): void => {
  const fields = { state, position: position?.toString() ?? null, ...(error && { err: error }) };
  switch (state) {
    case 'failed':
      return logger.error(fields, 'The read models have stopped.');
    case 'retrying':
      return logger.warn(fields, 'A store is away; trying again.');
    default:
      return logger.info(fields, 'The state of the projector has changed.');
  }
};
