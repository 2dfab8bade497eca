import { setTimeout as sleep } from 'node:timers/promises';

/** Only ends what hangs: a machine may be many times slower than this one. */
const WITHIN_MS = 60_000;

/** Waits until a condition holds, and fails with its description where it does not in time. */
export const eventually = async (
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs = WITHIN_MS,
): Promise<void> => {
  const deadlineMs = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`Not within ${withinMs} ms: ${what}.`);
    await sleep(2);
  }
};
