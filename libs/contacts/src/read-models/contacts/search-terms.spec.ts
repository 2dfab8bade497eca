import fc from 'fast-check';
import { searchPrefixesOf, searchTermsOf } from './search-terms';

describe('search terms', () => {
  it.each([
    [{ firstName: 'Anna-Lena', lastName: 'von der Höh' }, ['anna-lena', 'lena', 'von', 'der', 'hoh']],
    [{ lastName: "O'Brien" }, ["o'brien", 'brien']],
    [{ email: 'Änne.B@Example.org' }, ['anne.b@example.org']],
    [{ phone: '+43 (664) 12-34' }, ['436641234']],
    [{ phone: '0043 664 1234' }, ['436641234']],
    [{ firstName: '  ' }, []],
    [{}, []],
  ])('of %j are %j', (profile, terms) => expect(searchTermsOf(profile)).toEqual(terms));

  it('are bounded, however long the names are', () => {
    const terms = searchTermsOf({
      firstName: 'a-'.repeat(400),
      lastName: 'b '.repeat(400) + 'x'.repeat(400),
    });
    expect(terms.length).toBeLessThanOrEqual(20);
    for (const term of terms) expect(term.length).toBeLessThanOrEqual(64);
  });

  it.each([
    ['Anna  BERG', ['anna', 'berg']],
    ['+43 664 1', ['436641']],
    ['0043/664-1', ['436641']],
    ['anna.b', ['anna.b']],
    ['12a', ['12a']],
    ['a a', ['a']],
    [' ', []],
  ])('are looked for by %j as %j', (text, prefixes) => expect(searchPrefixesOf(text)).toEqual(prefixes));

  it('begin with each word of the names', () => {
    const word = fc.constantFrom('Änne', 'lena', 'Höh', '李', "d'Arc");
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 3 }), fc.nat({ max: 4 }), (words, length) => {
        const terms = searchTermsOf({ firstName: words.join(' ') });
        for (const asked of words) {
          const [prefix = ''] = searchPrefixesOf(asked.slice(0, length + 1));
          expect(terms.some((term) => term.startsWith(prefix))).toBe(true);
        }
      }),
    );
  });
});
