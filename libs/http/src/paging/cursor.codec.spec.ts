import fc from 'fast-check';
import { CursorCodec, InvalidCursorError, type CursorValue } from './cursor.codec';

const codec = new CursorCodec({ derive: (label) => Buffer.alloc(32, label) });
const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
const values = fc.array(value, { maxLength: 4 });
const binding = fc.record({ filter: fc.jsonValue({ maxDepth: 2 }), sort: fc.string() });

describe('a cursor', () => {
  it('gives back the values it was made of, under the same filter and sort', () =>
    fc.assert(
      fc.property(values, binding, (given, list) => {
        const plain = JSON.parse(JSON.stringify(given)) as CursorValue[];
        expect(codec.decode(codec.encode(given, list), list)).toEqual(plain);
      }),
    ));

  it('shows nothing of them', () => {
    const cursor = codec.encode(['canary@example.com'], 'list');
    expect(Buffer.from(cursor, 'base64url').toString('latin1')).not.toContain('canary');
    expect(codec.encode(['a'], 'list')).not.toBe(codec.encode(['a'], 'list'));
  });

  it('is refused under any other filter or sort', () =>
    fc.assert(
      fc.property(values, binding, binding, (given, list, other) => {
        fc.pre(JSON.stringify(list) !== JSON.stringify(other));
        expect(() => codec.decode(codec.encode(given, list), other)).toThrow(InvalidCursorError);
      }),
    ));

  it('is refused when any bit of it was changed, or when it was cut', () =>
    fc.assert(
      fc.property(values, fc.nat(), fc.integer({ min: 0, max: 7 }), fc.nat(), (given, at, bit, length) => {
        const bytes = Buffer.from(codec.encode(given, 'list'), 'base64url');
        const changed = Buffer.from(bytes);
        changed[at % bytes.length]! ^= 1 << bit;
        expect(() => codec.decode(changed.toString('base64url'), 'list')).toThrow(InvalidCursorError);
        const cut = bytes.subarray(0, length % bytes.length).toString('base64url');
        expect(() => codec.decode(cut, 'list')).toThrow(InvalidCursorError);
      }),
    ));

  it('is refused when it is anything else', () =>
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.base64String(), fc.string({ maxLength: 5000, minLength: 4097 })),
        (text) => {
          expect(() => codec.decode(text, 'list')).toThrow(InvalidCursorError);
        },
      ),
    ));

  it('is refused when another system made it', () => {
    const other = new CursorCodec({ derive: () => Buffer.alloc(32, 'other') });
    expect(() => codec.decode(other.encode([1], 'list'), 'list')).toThrow(InvalidCursorError);
  });

  it('is one text only: none with other unused bits passes', () => {
    const cursor = codec.encode(['ab'], 'list');
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const accepted = [...alphabet].filter((last) => {
      try {
        return codec.decode(cursor.slice(0, -1) + last, 'list') !== undefined;
      } catch {
        return false;
      }
    });
    expect(accepted).toEqual([cursor.at(-1)]);
  });
});
