import { eventually } from '@app/testing';
import type { ContactSummary } from './contact-summary';
import { idStretches } from './summarise-contacts.handler';
import { SummaryCache } from './summary-cache';

const summaryOf = (total: number): ContactSummary => ({ total }) as ContactSummary;

describe('the cache of summaries', () => {
  const setUp = () => {
    const clock = { nowMs: 0 };
    const finish: (() => void)[] = [];
    let made = 0;
    const make = (): Promise<ContactSummary> => {
      made += 1;
      const total = made;
      return new Promise((done) => finish.push(() => done(summaryOf(total))));
    };
    const cache = new SummaryCache(() => clock.nowMs);
    const get = async (position: bigint, minPosition = 0n, key = 'all') =>
      (await cache.get(key, { position, minPosition }, make)).summary.total;
    return { clock, finish, get, made: () => made };
  };

  it('makes one for all who ask at once', async () => {
    const { get, finish, made } = setUp();
    const asked = [get(5n), get(5n), get(5n, 5n)];
    await eventually('it is being made', () => finish.length === 1);
    finish[0]?.();
    expect(await Promise.all(asked)).toEqual([1, 1, 1]);
    expect(made()).toBe(1);
  });

  it('serves one that is younger than two seconds, or a minute where nothing was recorded since', async () => {
    const { get, finish, clock } = setUp();
    const first = get(5n);
    await eventually('it is being made', () => finish.length === 1);
    finish[0]?.();
    await first;
    clock.nowMs = 1_999;
    expect(await get(9n)).toBe(1);
    clock.nowMs = 59_999;
    expect(await get(5n)).toBe(1);
    const second = get(9n);
    await eventually('another is being made', () => finish.length === 2);
    finish[1]?.();
    expect(await second).toBe(2);
  });

  it('makes another for a later position, even while one is being made', async () => {
    const { get, finish } = setUp();
    const early = get(5n);
    await eventually('it is being made', () => finish.length === 1);
    const late = [get(9n, 9n), get(9n, 8n)];
    finish[0]?.();
    expect(await early).toBe(1);
    await eventually('another is being made', () => finish.length === 2);
    finish[1]?.();
    expect(await Promise.all(late)).toEqual([2, 2]);
  });

  it('makes them one after the other', async () => {
    const { get, finish, made } = setUp();
    const asked = [get(5n, 0n, 'one'), get(5n, 0n, 'other')];
    await eventually('one is being made', () => finish.length === 1);
    expect(made()).toBe(1);
    finish[0]?.();
    await eventually('the other is being made', () => finish.length === 2);
    finish[1]?.();
    expect(await Promise.all(asked)).toEqual([1, 2]);
  });

  it('tries again after a failure', async () => {
    const cache = new SummaryCache();
    const at = { position: 1n, minPosition: 0n };
    await expect(cache.get('all', at, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect((await cache.get('all', at, async () => summaryOf(3))).summary.total).toBe(3);
  });
});

describe('stretches of ids', () => {
  it.each([1, 2, 3, 100, 4_096])('%i of them hold each id once', (count) => {
    const stretches = idStretches(count) as { _id: { $gte: string; $lt?: string } }[];
    expect(stretches).toHaveLength(count);
    for (const id of ['', '0', '0000', '00000001-x', '7fff', '8000', 'ffff', 'ffffffff-x', 'z']) {
      const holding = stretches.filter(
        ({ _id }) => id >= _id.$gte && (_id.$lt === undefined || id < _id.$lt),
      );
      expect(holding).toHaveLength(1);
    }
  });
});
