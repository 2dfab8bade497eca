import fc from 'fast-check';
import { noMembership, type Cause, type Interval } from '../membership/membership';
import { memberSince, packMembership, unpackMembership } from './packed-membership';
import type { StoredMembership } from './segmented-contact';

const anyCause: fc.Arbitrary<Cause> = fc.record(
  {
    kind: fc.constantFrom('initial', 'event', 'clock', 'definition', 'manual'),
    eventId: fc.constantFrom('e1', 'e2'),
    at: fc.constantFrom('2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z'),
    position: fc.constantFrom('7', '-1', '18446744073709551615'),
  },
  { requiredKeys: ['kind', 'at', 'position'] },
);

const anyStays = fc.uniqueArray(
  fc.record({ segmentId: fc.uuid(), version: fc.integer({ min: 1, max: 3 }), causeIn: anyCause }),
  { selector: ({ segmentId }) => segmentId, maxLength: 30 },
);

type Told = Pick<Interval, 'segmentId' | 'version' | 'causeIn'>;

const membershipOf = (stays: readonly Told[]): StoredMembership => ({
  ...noMembership('c'),
  due: { s: '2026-01-03T00:00:00.000Z' },
  definitionsAt: '5',
  open: Object.fromEntries(
    stays.map((stay) => [stay.segmentId, { ...stay, from: stay.causeIn.at, to: null, causeOut: null }]),
  ),
});

describe('a packed membership', () => {
  it('is the same membership again once it is unpacked', () =>
    fc.assert(
      fc.property(anyStays, (stays) => {
        const membership = membershipOf(stays);
        const packed = packMembership(membership);
        expect(unpackMembership(packed)).toEqual(membership);
        for (const { segmentId, causeIn } of stays) expect(memberSince(packed, segmentId)).toBe(causeIn.at);
        expect(memberSince(packed, 'another')).toBeNull();
      }),
    ));

  it('does not depend on the order in which the stays began', () =>
    fc.assert(
      fc.property(anyStays, fc.infiniteStream(fc.nat()), (stays, numbers) => {
        const mixed = stays.map((stay) => ({ stay, rank: numbers.next().value as number }));
        mixed.sort((one, other) => one.rank - other.rank);
        expect(packMembership(membershipOf(mixed.map(({ stay }) => stay)))).toEqual(
          packMembership(membershipOf(stays)),
        );
      }),
    ));

  it('names each cause once', () => {
    const causeIn: Cause = { kind: 'event', eventId: 'e', at: '2026-01-01T00:00:00.000Z', position: '1' };
    const stays = ['b', 'a', 'c'].map((segmentId) => ({ segmentId, version: 1, causeIn }));
    expect(packMembership(membershipOf(stays)).open).toEqual([{ causeIn, version: 1, segmentIds: 'a b c' }]);
  });
});
