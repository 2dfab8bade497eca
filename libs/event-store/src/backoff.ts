import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits before try number `attempt` (from 0): up to `baseMs` doubled each time, at most `maxMs`, at random so that
 * those who failed together do not come back together. Ends early, without a throw, where the signal aborts.
 */
export const backoff = async (
  attempt: number,
  baseMs: number,
  maxMs: number,
  signal?: AbortSignal,
): Promise<void> => {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 20));
  try {
    await sleep(ceiling * (0.5 + Math.random() / 2), undefined, signal && { signal });
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
};
