/** Kleene's strong logic of three values; null is unknown. */
export type Truth = boolean | null;

export const TRUTH_NAMES = { true: 'true', false: 'false', null: 'unknown' } as const;
export type TruthName = (typeof TRUTH_NAMES)[keyof typeof TRUTH_NAMES];

export const nameOf = (truth: Truth): TruthName => TRUTH_NAMES[`${truth}`];

export const negation = (truth: Truth): Truth => (truth === null ? null : !truth);

export const conjunction = (truths: readonly Truth[]): Truth =>
  truths.includes(false) ? false : truths.includes(null) ? null : true;

export const disjunction = (truths: readonly Truth[]): Truth =>
  truths.includes(true) ? true : truths.includes(null) ? null : false;
