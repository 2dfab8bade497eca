import fc from 'fast-check';
import { addDuration, addMillis, canonicalInstant, isDuration } from './instant';

describe('instants', () => {
  it('bring every offset to one form', () =>
    expect(canonicalInstant('2026-03-01T01:30:00+02:00')).toBe('2026-02-28T23:30:00.000Z'));

  it('keep the epoch itself', () =>
    expect(addMillis('1970-01-01T00:00:01.000Z', -1000)).toBe('1970-01-01T00:00:00.000Z'));

  it('refuse what is no time', () => expect(() => canonicalInstant('soon')).toThrow(RangeError));

  it('sort as text the way they follow in time, also at the ends of the calendar', () =>
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), fc.integer(), (date, ms) => {
        const instant = addMillis(date.toISOString(), 0);
        const moved = addMillis(instant, ms);
        expect(moved).toHaveLength(24);
        expect(moved >= instant).toBe(ms >= 0 || moved === instant);
      }),
    ));
});

describe('durations', () => {
  it.each([
    ['2026-01-31T10:00:00.000Z', 'P1M', '2026-02-28T10:00:00.000Z'],
    ['2024-02-29T00:00:00.000Z', 'P1Y', '2025-02-28T00:00:00.000Z'],
    ['2026-03-29T00:30:00.000Z', 'PT2H', '2026-03-29T02:30:00.000Z'],
    ['2026-12-31T23:59:59.999Z', 'P1W1DT1S', '2027-01-09T00:00:00.999Z'],
    ['9999-06-01T00:00:00.000Z', 'P9999Y', '9999-12-31T23:59:59.999Z'],
  ])('%s and %s is %s', (from, duration, until) => expect(addDuration(from, duration)).toBe(until));

  it('can be taken away', () =>
    expect(addDuration('2026-03-31T12:00:00.000Z', 'P1MT12H', -1)).toBe('2026-02-28T00:00:00.000Z'));

  it.each(['', 'P', 'PT', 'P1', '1D', 'P-1D', 'P1.5D', 'P1DT', 'p1d'])('%p is none', (text) => {
    expect(isDuration(text)).toBe(false);
    expect(() => addDuration('2026-01-01T00:00:00.000Z', text)).toThrow(RangeError);
  });
});
