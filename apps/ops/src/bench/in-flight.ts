import { percentile } from './statistics';

/** When a round ends: after so many calls, or with the first call that ends after so long. */
export type Stop = Readonly<{ count: number }> | Readonly<{ durationMs: number }>;

export type Round = Readonly<{
  count: number;
  seconds: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Messages of the failed calls with how often each came; failed calls are not in `count`. */
  errors: Readonly<Record<string, number>>;
  /** CPU time that this process used, in seconds: what it cost to make the load. */
  clientCpuSeconds: number;
}>;

/** Keeps `inFlight` calls going until the round ends, then waits for the last of them. */
export const runInFlight = async (
  inFlight: number,
  stop: Stop,
  call: (index: number) => Promise<unknown>,
): Promise<Round> => {
  const countMax = 'count' in stop ? stop.count : Number.POSITIVE_INFINITY;
  const durationMax = 'durationMs' in stop ? stop.durationMs : Number.POSITIVE_INFINITY;
  const latencies: number[] = [];
  const errors: Record<string, number> = {};
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < countMax && performance.now() - startedAt < durationMax) {
      const index = next;
      next += 1;
      const sentAt = performance.now();
      try {
        await call(index);
        latencies.push(performance.now() - sentAt);
      } catch (error) {
        const message = (error as Error).message.slice(0, 120);
        errors[message] = (errors[message] ?? 0) + 1;
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    count: latencies.length,
    seconds,
    perSecond: latencies.length / seconds,
    p50Ms: percentile(latencies, 50),
    p99Ms: percentile(latencies, 99),
    errors,
    clientCpuSeconds: (user + system) / 1e6,
  };
};
