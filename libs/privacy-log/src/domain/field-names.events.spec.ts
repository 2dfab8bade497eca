import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { FIELD_NAMES, packed, unpacked } from './field-names.events';

describe('packed field names', () => {
  it('come out as they went in, others beside them', () =>
    fc.assert(
      fc.property(fc.uniqueArray(fc.oneof(fc.constantFrom(...FIELD_NAMES), fc.string())), (names) => {
        const { shown, others } = packed(names);
        expect([...unpacked(shown), ...others].sort()).toEqual([...names].sort());
        expect((shown ?? '').length).toBeLessThanOrEqual(Math.ceil(FIELD_NAMES.length / 4));
      }),
    ));

  it('are read by the same list for ever: it may only grow', () =>
    expect(createHash('sha256').update(FIELD_NAMES.slice(0, 40).join()).digest('base64')).toBe(
      'wF4Dibt1DWdzThkeTNwmG9MLmd0IGej12FD4XwNjEW4=',
    ));
});
