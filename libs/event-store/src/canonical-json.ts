/**
 * JSON with the members of objects in order of their names (UTF-16 code units, as RFC 8785 has it) and none that is
 * undefined: equal values give equal text.
 */
export const canonicalJson = (value: unknown): string => JSON.stringify(ordered(value)) ?? 'null';

const ordered = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(ordered);
  const result: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const name of Object.keys(value).sort())
    result[name] = ordered((value as Record<string, unknown>)[name]);
  return result;
};
