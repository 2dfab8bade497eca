/** Sets of values, for finding clauses that no value or every value meets. Sets are closed under all operations below. */

/** Inclusive; sorted, apart from each other. */
export type Interval = readonly [number, number];
export type Domain =
  Readonly<{ numbers: readonly Interval[] }> | Readonly<{ values: ReadonlySet<string>; without: boolean }>;

export const ALL_NUMBERS: Domain = { numbers: [[-Infinity, Infinity]] };
export const ALL_VALUES: Domain = { values: new Set(), without: true };

export const only = (...values: readonly string[]): Domain => ({ values: new Set(values), without: false });
export const numbers = (from: number, to: number): Domain => ({ numbers: from <= to ? [[from, to]] : [] });

/** Of integers: what follows on each other is one interval. */
const normal = (intervals: readonly Interval[]): Interval[] => {
  const merged: [number, number][] = [];
  for (const [from, to] of [...intervals].sort(([one], [other]) => one - other)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
};

export const complement = (domain: Domain): Domain => {
  if ('values' in domain) return { ...domain, without: !domain.without };
  const gaps: Interval[] = [];
  let from = -Infinity;
  for (const [low, high] of domain.numbers) {
    if (low > from) gaps.push([from, low - 1]);
    from = high + 1;
  }
  if (from < Infinity) gaps.push([from, Infinity]);
  return { numbers: gaps };
};

export const union = (one: Domain, other: Domain): Domain => {
  if ('numbers' in one && 'numbers' in other) {
    return { numbers: normal([...one.numbers, ...other.numbers]) };
  }
  return complement(intersection(complement(one), complement(other)));
};

export const intersection = (one: Domain, other: Domain): Domain => {
  if ('numbers' in one && 'numbers' in other) {
    const parts = one.numbers.flatMap(([from, to]) =>
      other.numbers.map(([low, high]): Interval => [Math.max(from, low), Math.min(to, high)]),
    );
    return { numbers: normal(parts.filter(([from, to]) => from <= to)) };
  }
  if (!('values' in one) || !('values' in other)) return one;
  if (one.without && other.without)
    return { values: new Set([...one.values, ...other.values]), without: true };
  const [kept, tested] = one.without ? [other, one] : [one, other];
  return {
    values: new Set([...kept.values].filter((value) => tested.values.has(value) !== tested.without)),
    without: false,
  };
};

export const isEmpty = (domain: Domain): boolean =>
  'numbers' in domain ? domain.numbers.length === 0 : !domain.without && domain.values.size === 0;
