import fc from 'fast-check';
import { Lanes } from './lanes';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('lanes', () => {
  it('keep the order within a key and the limits, whatever comes', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 3 })), { maxLength: 60 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 6 }),
        async (tasks, inFlightMax, waitingMax) => {
          const lanes = new Lanes(inFlightMax, waitingMax);
          const done = new Map<number, number[]>();
          const running = new Set<number>();
          let finished = 0;
          for (const [index, [key, turns]] of tasks.entries()) {
            await lanes.add(String(key), async () => {
              expect(running.has(key)).toBe(false);
              running.add(key);
              expect(running.size).toBeLessThanOrEqual(inFlightMax);
              for (let n = 0; n < turns; n += 1) await turn();
              running.delete(key);
              done.set(key, [...(done.get(key) ?? []), index]);
              finished += 1;
            });
            expect(index + 1 - finished).toBeLessThanOrEqual(inFlightMax + waitingMax);
          }
          await lanes.drain();
          expect(finished).toBe(tasks.length);
          for (const order of done.values()) expect(order).toEqual([...order].sort((a, b) => a - b));
        },
      ),
      { numRuns: 60 },
    ));

  it('stop at the first failure and tell it to whoever brings or waits', async () => {
    const lanes = new Lanes(1, 10);
    let ran = 0;
    await lanes.add('a', async () => {
      await turn();
      throw new Error('broken');
    });
    await lanes.add('b', async () => void (ran += 1));
    await expect(lanes.drain()).rejects.toThrow('broken');
    await expect(lanes.add('c', async () => void (ran += 1))).rejects.toThrow('broken');
    expect(ran).toBe(0);
  });
});
