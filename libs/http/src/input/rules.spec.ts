import fc from 'fast-check';
import { calendarDate, instant, isRfc3339, text, wholeNumber } from './rules';

const dates = fc.date({
  min: new Date('0000-01-01T00:00:00Z'),
  max: new Date('9999-12-31T23:59:59.999Z'),
  noInvalidDate: true,
});

describe('the rules of fields', () => {
  it('take every instant with any offset, and keep it in one form', () =>
    fc.assert(
      fc.property(dates, fc.integer({ min: -14 * 60, max: 14 * 60 }), (date, minutes) => {
        const local = new Date(date.getTime() + minutes * 60_000);
        fc.pre(local.getUTCFullYear() >= 0 && local.getUTCFullYear() <= 9999);
        const two = (value: number) => String(value).padStart(2, '0');
        const offset = `${minutes < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
        const written = local.toISOString().replace('Z', offset);
        expect(isRfc3339(written)).toBe(true);
        expect(instant.normalise?.(written)).toBe(date.toISOString());
      }),
    ));

  it.each([
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2016-12-31T23:59:60Z',
    '2026-01-01',
    '2026-01-01 00:00:00Z',
    '2026-01-01T00:00:00',
    '2026-01-01T00:00:00+24:00',
    '+002026-01-01T00:00:00Z',
    '1e3',
    '',
  ])('refuse %p as an instant', (written) => expect(isRfc3339(written)).toBe(false));

  it('take the dates of the calendar and no others', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 9999 }),
        fc.integer({ min: 0, max: 13 }),
        fc.integer({ min: 0, max: 32 }),
        (year, month, day) => {
          const written = `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
          const parsed = new Date(`${written}T00:00:00Z`);
          const exists = !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(written);
          expect(calendarDate.accepts(written)).toBe(exists);
        },
      ),
    ));

  it('take whole numbers within their bounds, and digits in a query string', () =>
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.double(), fc.string()), (value) => {
        const { accepts, fromText } = wholeNumber({ min: -10, max: 10 });
        expect(accepts(value)).toBe(Number.isInteger(value) && Math.abs(value as number) <= 10);
        expect(accepts(fromText?.(String(value)))).toBe(
          /^-?\d+$/.test(String(value)) && Math.abs(Number(value)) <= 10,
        );
      }),
    ));

  it('take texts of whole characters, and count them', () => {
    const { accepts } = text({ min: 1, max: 3 });
    expect(['abc', 'ä', '😀', 'a\tb', 'a\nb'].map(accepts)).toEqual([true, true, true, true, true]);
    expect(
      ['', 'abcd', '\ud83d', '\ude00a', 'a\u0000', '\u001b[', '\u007f', 1, null, ['a']].map(accepts),
    ).toEqual(Array(10).fill(false));
  });
});
