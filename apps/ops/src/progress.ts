import { Presets, SingleBar } from 'cli-progress';

const PLAIN_EVERY_MS = 5_000;

/** How far a long command is: a bar on a terminal, a plain line every few seconds elsewhere. Written to stderr. */
export interface Progress {
  /** One more is done, or so many. */
  step(count?: number): void;
  stop(): void;
}

export const startProgress = (
  what: string,
  total: number,
  stream: NodeJS.WriteStream = process.stderr,
): Progress => {
  if (stream.isTTY) {
    const bar = new SingleBar(
      {
        stream,
        format: `${what} {bar} {percentage} % · {value}/{total} · {eta_formatted} left`,
        hideCursor: true,
        etaBuffer: 200,
      },
      Presets.shades_classic,
    );
    bar.start(total, 0);
    return { step: (count = 1) => bar.increment(count), stop: () => bar.stop() };
  }
  let done = 0;
  const startedAt = performance.now();
  const line = (): void => {
    const seconds = (performance.now() - startedAt) / 1_000;
    const percent = total === 0 ? 100 : Math.floor((done / total) * 100);
    stream.write(`${what}: ${done} of ${total} (${percent} %) after ${seconds.toFixed(0)} s\n`);
  };
  const timer = setInterval(line, PLAIN_EVERY_MS).unref();
  return {
    step: (count = 1) => void (done += count),
    stop: () => {
      clearInterval(timer);
      line();
    },
  };
};
