import { loadConfig, serversOf, type Config, type Logger, type Servers } from '@app/config';

const STOP_TIME_MS = 15_000;
/** On Ctrl-C, a terminal signals this process and npm, which hands the signal on: that is one wish, not two. */
const SAME_SIGNAL_MS = 500;

export type Running = Readonly<{
  /** Resolves if a part ends that nobody asked to; the process cannot go on then. */
  failed: Promise<Error>;
  close(): Promise<void>;
}>;

/** Ends the process with one line on standard error. */
export const endWith = (error: unknown): never => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`regulars: ${message.split('\n', 1)[0] ?? ''}\n`);
  process.exit(1);
};

/** The settings of a process that starts no servers of its own; where they are wrong, it ends here. */
export const settingsOrEnd = (): Readonly<{ config: Config; servers: Servers }> => {
  try {
    const config = loadConfig();
    return { config, servers: serversOf(config) };
  } catch (error) {
    return endWith(error);
  }
};

/**
 * Runs a process to its end: on SIGTERM or SIGINT it is closed in order, and exits with 0. A second signal, a part that
 * fails, or 15 s end it at once, with 1. Where it cannot start, that is one line and exit 1.
 */
export const live = async (start: () => Promise<Running>, logger: Logger): Promise<void> => {
  let running: Running | undefined;
  let stopping = false;
  let stoppingSinceMs = 0;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping && performance.now() - stoppingSinceMs < SAME_SIGNAL_MS) return;
    if (stopping) endWith(new Error(`Stopped at once on a second signal (${signal}).`));
    stopping = true;
    stoppingSinceMs = performance.now();
    logger.info({ signal }, 'Stopping.');
    setTimeout(
      () => endWith(new Error(`Not stopped within ${STOP_TIME_MS / 1000} s; ended.`)),
      STOP_TIME_MS,
    ).unref();
    // A signal during the start waits for it: what was begun is then closed in order.
    if (running) void closed(running);
  };
  const closed = async (what: Running): Promise<void> => {
    try {
      await what.close();
    } catch (error) {
      endWith(error);
    }
    logger.info('Stopped.');
    process.exit(0);
  };
  const crash = (err: unknown): void => {
    logger.fatal({ err }, 'A defect.');
    endWith(err);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  try {
    running = await start();
  } catch (error) {
    endWith(error);
  }
  if (running === undefined) return;
  if (stopping) return closed(running);
  const error = await running.failed;
  if (!stopping) endWith(error);
};
