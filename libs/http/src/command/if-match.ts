import { HttpProblem } from '../problem/problem';

/**
 * The revision that If-Match names (`"7"`), or undefined for `*`, which any existing entity meets. Throws a 400 problem on
 * weak tags, lists and everything that is no revision: a weak tag never matches, and silence would look like a race.
 */
export const parseIfMatch = (header: string): number | undefined => {
  if (header.trim() === '*') return undefined;
  const tag = /^"(\d{1,15})"$/.exec(header.trim());
  if (tag) return Number(tag[1]);
  throw new HttpProblem(
    400,
    'invalid-if-match',
    'If-Match must be one strong ETag that this API gave, such as "7", or *.',
  );
};
