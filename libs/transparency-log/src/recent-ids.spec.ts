import { RecentIds } from './recent-ids';

describe('recent ids', () => {
  it('are known within the window, and forgotten behind twice of it', () => {
    const ids = new RecentIds(10);
    for (let id = 0; id < 20; id += 1) expect(ids.seen(id)).toBe(false);
    for (let id = 10; id < 20; id += 1) expect(ids.seen(id)).toBe(true);
    expect(ids.seen(20)).toBe(false);
    expect(ids.seen(0)).toBe(false);
  });
});
