import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until a condition holds, and fails with its description where it does not in time. */
export const eventually = async (
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs = 10_000,
): Promise<void> => {
  const deadlineMs = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`Not within ${withinMs} ms: ${what}.`);
    await sleep(2);
  }
};
