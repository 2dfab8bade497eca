/** The calendar date of an instant in a time zone, `YYYY-MM-DD`. */
export const dateIn = (instant: Date, timeZone: string): string => {
  if (timeZone === 'UTC') return instant.toISOString().slice(0, 10);
  const format = new Intl.DateTimeFormat('en', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, value]));
  return `${parts.get('year')?.padStart(4, '0')}-${parts.get('month')}-${parts.get('day')}`;
};

/**
 * Whole years from a birthday to a day, both `YYYY-MM-DD`. Who was born on 29 February is a year older from 1 March in
 * years without that day. Negative before birth.
 */
export const ageOn = (birthday: string, day: string): number => {
  const years = Number(day.slice(0, 4)) - Number(birthday.slice(0, 4));
  return day.slice(4) < birthday.slice(4) ? years - 1 : years;
};

/** Who was born on or before this text, compared as text, is at least `age` on the day; see ageOn. */
export const bornBy = (age: number, day: string): string => {
  const year = Number(day.slice(0, 4)) - age;
  if (year < 0) return '';
  return year > 9999 ? '9999-12-31' : `${String(year).padStart(4, '0')}${day.slice(4)}`;
};
