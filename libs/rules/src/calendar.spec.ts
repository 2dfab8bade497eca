import fc from 'fast-check';
import { ageOn, bornBy, dateIn } from './calendar';

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
