import fc from 'fast-check';
import { durationParts, normalDuration, readDuration } from './duration';

const parts = fc.record({
  months: fc.integer({ min: 0, max: 600 }),
  days: fc.integer({ min: 0, max: 9_000 }),
  ms: fc.integer({ min: 0, max: 1_000_000 }).map((seconds) => seconds * 1_000),
});

it('has one text for one duration', () => {
  for (const [text, normal] of [
    ['P4W', 'P28D'],
    ['P12M', 'P1Y'],
    ['P14M', 'P1Y2M'],
    ['PT90M', 'PT1H30M'],
    ['PT24H', 'PT24H'],
    ['P0Y', 'P0D'],
    ['PT0S', 'P0D'],
    ['P1DT36H', 'P1DT36H'],
  ] as const) {
    expect(normalDuration(durationParts(text))).toBe(normal);
  }
  fc.assert(fc.property(parts, (given) => expect(readDuration(normalDuration(given))).toEqual(given)));
});

it.each([
  '',
  'P',
  'PT',
  'P1',
  '1D',
  'P1H',
  'PT1D',
  'P-1D',
  '-P1D',
  'P1.5D',
  'P1W1D',
  'P1DT',
  'p1d',
  ' P1D',
  'P101Y',
  'P999999D',
])('refuses %j', (text) => expect(readDuration(text)).toBeUndefined());
