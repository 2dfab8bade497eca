import { addDuration } from '@app/kernel';

export type SeriesPoint = Readonly<{ at: string; count: number }>;

/** More points than a chart has room for. */
export const SERIES_POINTS_MAX = 1_000;

/**
 * The instants `from`, `from + step`, … up to `upTo`, steps of months and years from `from` on (31 January and a month is the
 * end of February, and two are 31 March). At most SERIES_POINTS_MAX + 1; null: the step leads nowhere.
 */
export const instantsOf = (from: string, upTo: string, step: string): readonly string[] | null => {
  const instants: string[] = [];
  for (let n = 0; n <= SERIES_POINTS_MAX; n += 1) {
    const at = n === 0 ? from : addDuration(from, times(step, n));
    const before = instants.at(-1);
    if (before !== undefined && at <= before) return instants.length > 1 ? instants : null;
    if (at > upTo) return instants;
    instants.push(at);
  }
  return instants;
};

/** `P1M` three times is `P3M`. */
const times = (duration: string, n: number): string =>
  duration.replace(/\d+/g, (digits) => String(Number(digits) * n));

/** How many were in at each instant, given how many at the first; one pass over those who came and went behind it. */
export const countsAt = async (
  instants: readonly string[],
  first: number,
  came: AsyncIterable<string>,
  went: AsyncIterable<string>,
): Promise<readonly SeriesPoint[]> => {
  const [opens, closes] = [came[Symbol.asyncIterator](), went[Symbol.asyncIterator]()];
  try {
    let [open, close] = [await opens.next(), await closes.next()];
    let count = first;
    const points: SeriesPoint[] = [];
    for (const at of instants) {
      for (; open.done !== true && open.value <= at; open = await opens.next()) count += 1;
      for (; close.done !== true && close.value <= at; close = await closes.next()) count -= 1;
      points.push({ at, count });
    }
    return points;
  } finally {
    await opens.return?.();
    await closes.return?.();
  }
};
