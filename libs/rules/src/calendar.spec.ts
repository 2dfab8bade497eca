import fc from 'fast-check';
import { ageOn, bornBy, dateIn, periodOfDate } from './calendar';
import { isDate } from './parse-values';

const anyDay = fc
  .date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));

describe('the calendar', () => {
  it.each([
    ['2000-05-17', '2024-05-16', 23],
    ['2000-05-17', '2024-05-17', 24],
    ['2004-02-29', '2025-02-28', 20],
    ['2004-02-29', '2025-03-01', 21],
    ['2004-02-29', '2024-02-29', 20],
  ])('who was born on %s is on %s %i years old', (birthday, day, age) =>
    expect(ageOn(birthday, day)).toBe(age),
  );

  it('asks for a birthday where an age is asked for', () => {
    fc.assert(
      fc.property(anyDay, anyDay, fc.integer({ min: -50, max: 150 }), (birthday, day, age) =>
        expect(birthday <= bornBy(age, day)).toBe(ageOn(birthday, day) >= age),
      ),
    );
  });

  it('has its own date in each time zone', () => {
    const instant = new Date('2024-02-29T23:30:00.000Z');
    expect(dateIn(instant, 'UTC')).toBe('2024-02-29');
    expect(dateIn(instant, 'Europe/Vienna')).toBe('2024-03-01');
    expect(dateIn(instant, 'America/New_York')).toBe('2024-02-29');
  });
});

it('knows the days that there are', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9999 }), fc.nat(13), fc.nat(32), (year, month, day) => {
      const text = [
        String(year).padStart(4, '0'),
        ...[month, day].map((n) => String(n).padStart(2, '0')),
      ].join('-');
      const time = Date.parse(`${text}T00:00:00.000Z`);
      expect(isDate(text)).toBe(!Number.isNaN(time) && new Date(time).toISOString().startsWith(text));
    }),
    { numRuns: 500 },
  );
});

it.each([
  ['day', 0, 'MO', '2024-02-29', '2024-03-01'],
  ['week', 0, 'MO', '2024-02-26', '2024-03-04'],
  ['week', 0, 'SU', '2024-02-25', '2024-03-03'],
  ['week', -1, 'SA', '2024-02-17', '2024-02-24'],
  ['month', -1, 'MO', '2024-01-01', '2024-02-01'],
  ['quarter', 1, 'MO', '2024-04-01', '2024-07-01'],
  ['year', -5, 'MO', '2019-01-01', '2020-01-01'],
] as const)('takes the %s %i of a date, weeks from %s', (period, offset, weekStart, from, to) =>
  expect(periodOfDate('2024-02-29', { period, offset }, weekStart)).toEqual({ from, to }),
);
