import fc from 'fast-check';
import { canonicalJson } from './canonical-json';

const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'binary' }),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: 'binary' }), tie('value'), { maxKeys: 5 }),
  ),
})).value;

/** The same value, its properties put in the other way round. */
const reversed = (given: unknown): unknown => {
  if (Array.isArray(given)) return given.map(reversed);
  if (typeof given !== 'object' || given === null) return given;
  return Object.fromEntries(
    Object.entries(given)
      .reverse()
      .map(([name, inner]) => [name, reversed(inner)]),
  );
};

describe('the canonical form of JSON', () => {
  it('orders names by UTF-16 units, as the example of RFC 8785 (section 3.2.3) does', () => {
    const text = canonicalJson({
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    });
    expect(Object.values(JSON.parse(text) as object)).toHaveLength(7);
    expect(text).toBe(
      '{"\\r":"Carriage Return","1":"One","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis",' +
        '"\u20ac":"Euro Sign","\ud83d\ude00":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
    );
  });

  it('escapes strings as RFC 8785 (section 3.2.2.2) does', () => {
    expect(canonicalJson('\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/')).toBe(
      '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"',
    );
  });

  it('is one text for one value, and reads back as it', () => {
    fc.assert(
      fc.property(value, (given) => {
        // JSON has no minus zero once it is canonical.
        const plain = JSON.parse(JSON.stringify(given)) as unknown;
        const text = canonicalJson(plain);
        expect(JSON.parse(text)).toEqual(plain);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
        expect(canonicalJson(reversed(plain))).toBe(text);
      }),
    );
  });

  it('leaves out what is undefined', () => {
    expect(canonicalJson({ b: undefined, a: { c: undefined } })).toBe('{"a":{}}');
  });

  it('takes nesting up to a limit', () => {
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
    expect(canonicalJson(nested(32))).toHaveLength(65);
    expect(() => canonicalJson(nested(33))).toThrow('Nested deeper than 32');
  });

  const cycle: unknown[] = [];
  cycle.push(cycle);
  it.each([
    ['a fraction', 0.1],
    ['a number beyond the safe ones', 2 ** 53],
    ['not a number', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['a big integer', 1n],
    ['half a surrogate pair', 'a\ud800'],
    ['half a surrogate pair in a name', { '\udc00': 1 }],
    ['undefined', undefined],
    ['undefined in an array', [undefined]],

    ['a hole in an array', [1, , 2]],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['bytes', Buffer.from('a')],
    ['a function', () => 1],
    ['a circle', cycle],
  ])('refuses %s', (_, given) => {
    expect(() => canonicalJson({ inside: [given] })).toThrow();
    expect(() => canonicalJson(given)).toThrow();
  });
});
