import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { fromLocal, offsetAt } from './time-zone';

const ZONES = [
  'UTC',
  'Europe/Vienna',
  'America/New_York',
  'America/Sao_Paulo',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Asia/Kathmandu',
  'America/St_Johns',
  'Africa/Casablanca',
];
const anyInstant = fc
  .date({ min: new Date('1900-01-01'), max: new Date('2060-01-01'), noInvalidDate: true })
  .map((date) => date.getTime());
/** Around the hours in which clocks are changed. */
const nearChange = fc
  .tuple(
    fc.constantFrom(
      ...[
        '2024-03-31T01:00Z',
        '2024-10-27T01:00Z',
        '2018-11-04T03:00Z',
        '2011-12-30T10:00Z',
        '2024-03-10T07:00Z',
        '2024-11-03T06:00Z',
        '2024-04-06T15:00Z',
      ],
    ),
    fc.integer({ min: -30, max: 30 }),
  )
  .map(([text, quarters]) => Date.parse(text) + quarters * 900_000);
const anyZone = fc.constantFrom(...ZONES);

it('says of each instant what the library says', () => {
  fc.assert(
    fc.property(fc.oneof(anyInstant, nearChange), anyZone, (instant, tz) => {
      const zoned = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(tz);
      expect(offsetAt(instant, tz)).toBe(zoned.offsetNanoseconds / 1e6);
    }),
    { numRuns: 400 },
  );
});

it('finds the instant of a local time as the library does, also where it is skipped or comes twice', () => {
  fc.assert(
    fc.property(fc.oneof(anyInstant, nearChange), anyZone, (local, tz) => {
      const plain = Temporal.PlainDateTime.from(new Date(local).toISOString().slice(0, -1));
      expect(fromLocal(local, tz)).toBe(plain.toZonedDateTime(tz).epochMilliseconds);
    }),
    { numRuns: 400 },
  );
});
