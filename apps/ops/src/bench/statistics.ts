export const median = (values: readonly number[]): number => percentile(values, 50);

/** The smallest value that `percent` of all values do not exceed (nearest rank). NaN for none. */
export const percentile = (values: readonly number[], percent: number): number => {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
};
