import fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parsePurchaseLine, readPurchases } from './purchase-file';

describe('a line of a purchase history', () => {
  it('is read with its padding and its carriage return', () =>
    expect(parsePurchaseLine(' 00002 19970112  5   77.00\r', 4)).toEqual({
      line: 4,
      customer: '00002',
      date: '1997-01-12',
      quantity: 5,
      minor: 7_700,
    }));

  it('may be worth nothing', () => expect(parsePurchaseLine('00002 19970112 1 0.00', 2)?.minor).toBe(0));

  it('is skipped when it names the columns or is blank', () => {
    expect(parsePurchaseLine(' customer_id  date number_of_cds  dollar_value', 1)).toBeNull();
    expect(parsePurchaseLine('   \r', 7)).toBeNull();
  });

  it('gives its value exactly, for every number of cents', () =>
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_999_999_999 }), (minor) => {
        const text = `${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, '0')}`;
        expect(parsePurchaseLine(`7 19970112 1 ${text}`, 2)?.minor).toBe(minor);
      }),
    ));

  it.each([
    ['00002 19970231 1 1.00', 'not a date'],
    ['00002 1997011 1 1.00', 'not a date'],
    ['00002 19970112 one 1.00', 'not a quantity'],
    ['00002 19970112 1 1.005', 'not an amount'],
    ['00002 19970112 1 -1.00', 'not an amount'],
    ['00002 19970112 1 1e3', 'not an amount'],
    ['00002 19970112 1', 'found 3 columns'],
    ['00002 19970112 1 1.00 x', 'found 5 columns'],
  ])('is refused by its number when wrong: %s', (text, reason) => {
    expect(() => parsePurchaseLine(text, 12)).toThrow(new RegExp(`^Line 12: .*${reason}`));
  });

  it('keeps the number of its line in the file, blank lines and header counted', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'regulars-ops-'));
    try {
      const file = join(folder, 'history.txt');
      writeFileSync(file, ' customer_id date n value\r\n 1 19970101 1 1.00\r\n\r\n 1 19970101 1 1.00\r\n');
      const lines = [];
      for await (const purchase of readPurchases(file)) lines.push(purchase.line);
      expect(lines).toEqual([2, 4]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
