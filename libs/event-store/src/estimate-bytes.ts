const OBJECT_BYTES = 56;
const SLOT_BYTES = 16;
const STRING_BYTES = 24;

/** Roughly what a value holds in memory: plain objects, arrays, maps, sets and scalars. Shared parts count each time. */
export const estimateBytes = (value: unknown): number => {
  let bytes = 0;
  const left: unknown[] = [value];
  while (left.length > 0) {
    const next = left.pop();
    bytes += SLOT_BYTES;
    if (typeof next === 'string') bytes += STRING_BYTES + next.length;
    else if (typeof next === 'bigint') bytes += SLOT_BYTES;
    else if (typeof next === 'object' && next !== null) {
      bytes += OBJECT_BYTES;
      if (next instanceof Map) for (const [key, item] of next) left.push(key, item);
      else if (next instanceof Set || Array.isArray(next)) for (const item of next) left.push(item);
      else left.push(...Object.values(next));
    }
  }
  return bytes;
};
