import fc from 'fast-check';
import { foldText, prefixEnd } from './fold-text';

/** In the order of code points, as the stores sort. */
const compared = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other));
const anyText = fc.string({ unit: 'binary', maxLength: 12 });

describe('folding', () => {
  it.each([
    ['MÜLLER', 'muller'],
    ['mu\u0308ller', 'muller'],
    ['Ångström', 'angstrom'],
    ['İstanbul', 'istanbul'],
    ['ﬁne', 'fine'],
    ['℡', 'tel'],
    ['李', '李'],
    ['ß', 'ß'],
  ])('%s is %s', (text, folded) => expect(foldText(text)).toBe(folded));

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(anyText, (text) => expect(foldText(foldText(text))).toBe(foldText(text))),
      { numRuns: 2_000 },
    );
  });

  it('bounds what decomposition makes of a text', () => {
    expect(foldText('\ufdfa'.repeat(300)).length).toBeLessThanOrEqual(500);
    expect(foldText('x'.repeat(600))).toHaveLength(500);
  });
});

describe('the end of a prefix', () => {
  it('is the end of exactly the texts that start with it', () => {
    fc.assert(
      fc.property(anyText, fc.oneof(anyText, fc.constant('')), (prefix, other) => {
        for (const text of [other, prefix + other, prefix.slice(0, -1) + other]) {
          const end = prefixEnd(prefix);
          const isWithin = compared(prefix, text) <= 0 && (end === null || compared(text, end) < 0);
          expect(isWithin).toBe(text.startsWith(prefix));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['ab', 'ac'],
    ['a\u{10ffff}', 'b'],
    ['\ud7ff', '\ue000'],
    ['\uffff', '\u{10000}'],
    ['\u{10ffff}', null],
    ['', null],
  ])('of %j is %j', (prefix, end) => expect(prefixEnd(prefix)).toBe(end));
});
