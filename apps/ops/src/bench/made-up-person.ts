export const DAY_MS = 86_400_000;
export const CITIES = [
  'Wien',
  'Graz',
  'Linz',
  'Salzburg',
  'Innsbruck',
  'München',
  'Berlin',
  'Zürich',
  'Genève',
  'Passau',
] as const;
export const GENDERS = ['female', 'male', 'other', 'unspecified'] as const;

/** Spreads whole numbers over 32 bits (Fibonacci hashing), so that neighbours differ in every column. */
export const spread = (index: number): number => Math.imul(index + 1, 0x9e3779b1) >>> 0;

/** What both kinds of load say of a person, by a number that `spread` gave. */
export const personOf = (mixed: number) => ({
  birthday: new Date(Date.UTC(1950, 0, 1) + (mixed % 19_000) * DAY_MS).toISOString().slice(0, 10),
  gender: GENDERS[mixed % GENDERS.length] as (typeof GENDERS)[number],
  city: CITIES[mixed % CITIES.length] as string,
});
