import fc from 'fast-check';
import { nestsDeeper, parseJsonBody } from './json-body';

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

describe('a JSON body', () => {
  it('is measured by its brackets outside texts', () =>
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.nat({ max: 8 }), (value, max) => {
        expect(nestsDeeper(Buffer.from(JSON.stringify(value, null, 1)), max)).toBe(depthOf(value) > max);
      }),
    ));

  it.each([
    ['{"a":"[[[["}', 1, false],
    ['{"a":"\\"[[[["}', 1, false],
    ['{"a":"\\\\","b":[[]]}', 2, true],
    ['[][][]', 1, false],
  ])('such as %s', (text, max, deeper) => expect(nestsDeeper(Buffer.from(text), max)).toBe(deeper));

  it('is parsed as it was written, in UTF-8', () =>
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'grapheme' }), (value) => {
        const text = JSON.stringify(value);
        expect(parseJsonBody(Buffer.from(text))).toEqual(JSON.parse(text));
      }),
    ));

  it('of random bytes is a value or a problem with status 400', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          parseJsonBody(Buffer.from(bytes));
        } catch (error) {
          expect(error).toMatchObject({ status: 400 });
        }
      }),
    ));
});
