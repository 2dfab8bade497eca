import { createLogger } from '@app/config';
import { eventually, FixedClock } from '@app/testing';
import { runAutomations, type Automation } from './automations';

const logger = createLogger('projector', 'silent');

describe('automations', () => {
  const clock = new FixedClock('2026-01-01T00:00:00.000Z');
  let holder: string | null;
  const leaseOf = (name: string) => ({
    take: async () => {
      holder ??= name;
      return holder === name ? 1 : null;
    },
    release: async () => {
      if (holder === name) holder = null;
    },
  });
  const counting = (rounds: string[], name: string): Automation => ({
    name,
    intervalMs: 1,
    round: async () => rounds.push(name),
  });

  beforeEach(() => {
    holder = null;
  });

  it('are run by whoever holds the lease, and by another one when that has gone', async () => {
    const rounds: string[] = [];
    const [first, second] = [new AbortController(), new AbortController()];
    const one = runAutomations([counting(rounds, 'one')], leaseOf('one'), clock, logger, first.signal);
    const two = runAutomations([counting(rounds, 'two')], leaseOf('two'), clock, logger, second.signal);
    await eventually('one works', () => rounds.length > 20);
    expect(new Set(rounds)).toEqual(new Set(['one']));
    first.abort();
    await one;
    await eventually('two takes over', () => rounds.at(-1) === 'two');
    second.abort();
    await two;
    expect(holder).toBeNull();
  });

  it('stop where the lease was lost', async () => {
    const rounds: string[] = [];
    const stop = new AbortController();
    const one = runAutomations([counting(rounds, 'one')], leaseOf('one'), clock, logger, stop.signal);
    await eventually('one works', () => rounds.length > 0);
    holder = 'two';
    let before = -1;
    await eventually('one has stopped', async () => {
      const now = rounds.length;
      const still = now === before;
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return still;
    });
    stop.abort();
    await one;
  });

  it('do not stand in each other’s way', async () => {
    const rounds: string[] = [];
    const stop = new AbortController();
    let free = (): void => undefined;
    const freed = new Promise<number>((resolve) => (free = () => resolve(0)));
    const stuck: Automation = { name: 'stuck', intervalMs: 1, round: () => freed };
    const failing: Automation = { name: 'failing', intervalMs: 1, round: () => Promise.reject(new Error()) };
    const run = runAutomations(
      [stuck, failing, counting(rounds, 'one')],
      leaseOf('one'),
      clock,
      logger,
      stop.signal,
    );
    await eventually('one works', () => rounds.length > 20);
    stop.abort();
    free();
    await run;
  });
});
