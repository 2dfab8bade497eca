import { Binary, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId } from 'bson';
import fc from 'fast-check';
import { compareValues } from './compare';
import { rawOf } from './document-writer';
import { afterPrefix, encodeValue, KeyWriter } from './key-encoding';
import { Value } from './raw-value';

const number = fc.oneof(
  fc.integer().map((value) => new Int32(value)),
  fc.double().map((value) => new Double(value)),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => Long.fromBigInt(value)),
  fc
    .tuple(
      fc.integer({ min: -3, max: 3 }),
      fc.constantFrom(0n, 2n ** 53n, -(2n ** 53n), 2n ** 62n, 2n ** 63n - 10n),
    )
    .map(([near, at]) => Long.fromBigInt(at + BigInt(near))),
  fc
    .constantFrom(-0, 0, NaN, Infinity, -Infinity, 2 ** 53, 2 ** 63, -(2 ** 63))
    .map((value) => new Double(value)),
  fc
    .constantFrom('0', '-0', '1', '0.5', '1E+3', '9007199254740993', 'NaN', 'Infinity', '-Infinity')
    .map((text) => Decimal128.fromString(text)),
);
const leaf = fc.oneof(
  { weight: 4, arbitrary: number },
  {
    weight: 3,
    arbitrary: fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\u0001', 'é', '\u{1F600}'), maxLength: 4 }),
  },
  fc.constantFrom(null, true, false, new MinKey(), new MaxKey()),
  fc.integer({ min: -5, max: 5 }).map((time) => new Date(time)),
  fc.constantFrom('64b000000000000000000001', 'ffffffffffffffffffffffff').map((hex) => new ObjectId(hex)),
  fc.uint8Array({ maxLength: 3 }).map((bytes) => new Binary(bytes)),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'ab'), tie('value'), { maxKeys: 2 }),
  ),
}));
const raw = (made: unknown): Value => rawOf(made)!;
const sign = (order: number): number => Math.sign(order) + 0;

const component = (made: unknown, descending: boolean): Buffer => {
  const writer = new KeyWriter();
  writer.component(raw(made), descending);
  return writer.take();
};

describe('the encoding of keys', () => {
  it('has the order of the values', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        expect(sign(encodeValue(raw(a)).compare(encodeValue(raw(b))))).toBe(
          sign(compareValues(raw(a), raw(b))),
        );
      }),
      { numRuns: 3_000 },
    );
  });

  it('has the other order for descending fields, whatever follows', () => {
    fc.assert(
      fc.property(value, value, value, value, (a, b, next, other) => {
        const left = Buffer.concat([component(a, true), component(next, false)]);
        const right = Buffer.concat([component(b, true), component(other, false)]);
        const expected = -compareValues(raw(a), raw(b)) || compareValues(raw(next), raw(other));
        expect(sign(left.compare(right))).toBe(sign(expected));
      }),
      { numRuns: 1_000 },
    );
  });

  it('never lets one encoding start another', () => {
    fc.assert(
      fc.property(value, value, (a, b) => {
        const [left, right] = [encodeValue(raw(a)), encodeValue(raw(b))];
        fc.pre(!left.equals(right));
        expect(right.subarray(0, left.length).equals(left)).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  it('knows the first key after a prefix', () => {
    expect(afterPrefix(Buffer.from([1, 2]))).toEqual(Buffer.from([1, 3]));
    expect(afterPrefix(Buffer.from([1, 0xff]))).toEqual(Buffer.from([2]));
    expect(afterPrefix(Buffer.from([0xff]))).toEqual(Buffer.alloc(0));
  });
});
