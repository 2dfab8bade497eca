/** How many are in exactly these of some segments. */
export type OverlapRegion = Readonly<{ in: readonly string[]; count: number }>;
export type Overlap = Readonly<{
  sizes: Readonly<Record<string, number>>;
  regions: readonly OverlapRegion[];
}>;

/**
 * Sizes of some sets, and of every region that they cut each other into, empty ones too: those of fewer sets first, else in
 * the order given. One pass over the sets side by side; each is given in ascending order.
 */
export const overlapOf = async (
  sets: readonly Readonly<{ id: string; members: AsyncIterable<string> }>[],
): Promise<Overlap> => {
  const walks = sets.map(({ members }) => members[Symbol.asyncIterator]());
  const counts = new Array<number>(2 ** sets.length).fill(0);
  try {
    const heads = await Promise.all(walks.map((walk) => walk.next()));
    for (;;) {
      let least: string | null = null;
      for (const head of heads)
        if (head.done !== true && (least === null || head.value < least)) least = head.value;
      if (least === null) break;
      let region = 0;
      for (const [n, head] of heads.entries()) {
        if (head.done === true || head.value !== least) continue;
        region |= 1 << n;
        heads[n] = await (walks[n] as AsyncIterator<string>).next();
      }
      counts[region] = (counts[region] as number) + 1;
    }
  } finally {
    for (const walk of walks) await walk.return?.();
  }
  return {
    sizes: sizesOf(
      sets.map(({ id }) => id),
      counts,
    ),
    regions: regionsOf(
      sets.map(({ id }) => id),
      counts,
    ),
  };
};

const isIn = (n: number, region: number): boolean => ((region >> n) & 1) === 1;

const sizesOf = (ids: readonly string[], counts: readonly number[]): Record<string, number> =>
  Object.fromEntries(
    ids.map((id, n) => [id, counts.reduce((sum, count, region) => (isIn(n, region) ? sum + count : sum), 0)]),
  );

const regionsOf = (ids: readonly string[], counts: readonly number[]): OverlapRegion[] =>
  counts
    .map((count, region) => ({ in: ids.filter((_, n) => isIn(n, region)), count }))
    .slice(1)
    .sort((one, other) => one.in.length - other.in.length);
