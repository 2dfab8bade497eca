const ASCII = /^[\x00-\x7f]*$/;
const MARKS = /\p{M}+/gu;
/** Decomposition can make a text eighteen times as long; beyond this, texts are not told apart. */
const FOLDED_LENGTH_MAX = 500;
const HALF_PAIR_AT_END = /[\ud800-\udbff]$/;

/**
 * The form in which names, e-mails and cities are compared and sorted: compatibility-decomposed (NFKD), in lower case,
 * without marks, so that `Müller`, `MULLER` and `mu\u0308ller` are one. Folding twice changes nothing.
 */
export const foldText = (text: string): string => {
  if (ASCII.test(text)) return cut(text.toLowerCase());
  // Lower case can bring marks back (İ becomes i with a dot above), and decomposition can bring capitals back (℡ becomes TEL).
  return cut(text.normalize('NFKD').toLowerCase().normalize('NFKD').replace(MARKS, ''));
};

const cut = (text: string): string =>
  text.length > FOLDED_LENGTH_MAX ? text.slice(0, FOLDED_LENGTH_MAX).replace(HALF_PAIR_AT_END, '') : text;

/**
 * The least text above every text that starts with `prefix`, in the order of code points; null where there is none.
 * `prefix <= text < prefixEnd(prefix)` is then an index range that holds exactly the texts that start so.
 */
export const prefixEnd = (prefix: string): string | null => {
  const points = Array.from(prefix);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const point = last.codePointAt(0) ?? 0;
    if (point === 0x10ffff) continue;
    // Surrogates are no characters of their own; the order of code points has a gap there.
    return points.join('') + String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1);
  }
  return null;
};
