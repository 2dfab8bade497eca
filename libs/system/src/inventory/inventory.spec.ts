import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ACTIVITY_OF_OTHERS } from '@app/contacts';
import { eventDefinitions, personalDataInventory, readModels } from '../contexts';
import type { InventoryItem } from './inventory';

const DOCUMENT = join(__dirname, '../../personal-data.md');

/** The document as it has to be; `UPDATE_INVENTORY=1` writes it. */
const documented = (items: readonly InventoryItem[]): string => {
  const rows = items
    .filter(({ mark }) => mark !== 'none')
    .map(
      ({ name, field, mark, stored, key, holds }) =>
        `| \`${name}\` | \`${field}\` | ${mark} | ${stored}${key ? `, key \`${key}\`` : ''} | ${holds.join(', ')} |`,
    );
  return [
    '# Personal data',
    '',
    'Every stored field that is personal or kept for the books, from the marks that the code works by; all others hold none. Served at',
    '`GET /v1/personal-data/inventory`, with those. Written by the spec beside it (`UPDATE_INVENTORY=1`), which fails where it is out of date.',
    '',
    '| where | field | mark | stored | holds |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
};

describe('the inventory of personal data', () => {
  it('has every event type and every read model', () => {
    const names = new Set(personalDataInventory.map(({ name }) => name));
    for (const { type } of eventDefinitions) expect(names).toContain(type);
    const folded = [...readModels.projections, ...readModels.journals, ...readModels.ledgers];
    for (const { name, version } of folded) expect(names).toContain(`${name}_v${version}`);
  });

  it('says what is sealed, under which key, and what a read model keeps readable', () => {
    const found = (name: string, field: string) =>
      personalDataInventory.find((item) => item.name === name && item.field === field);
    expect(found('contacts.PurchaseRecorded.v1', 'invoiceNumber')).toMatchObject({
      mark: 'accounting',
      stored: 'sealed',
      key: 'retained',
    });
    expect(found('contacts.ContactRegistered.v1', 'profile')).toMatchObject({
      mark: 'personal(profile)',
      stored: 'sealed',
      key: 'personal',
    });
    expect(found('contacts_v3', 'profile')).toMatchObject({ mark: 'personal(profile)', stored: 'clear' });
    expect(found('contacts_v3', 'spend')).toMatchObject({ mark: 'none', stored: 'clear', holds: [] });
  });

  it('has the events of other contexts that feeds show, and shows open fields of them only', () => {
    const marked = new Map(eventDefinitions.map(({ type, fields }) => [type, fields]));
    for (const [type, fields] of Object.entries(ACTIVITY_OF_OTHERS)) {
      for (const field of fields)
        expect([type, field, marked.get(type)?.[field]?.kind]).toEqual([type, field, 'open']);
    }
  });

  it('keeps no event field personal and readable', () => {
    const readable = personalDataInventory.filter(
      ({ kind, mark, stored }) => kind === 'event' && mark !== 'none' && stored === 'clear',
    );
    expect(readable).toEqual([]);
  });

  it('is documented as it is', () => {
    const expected = documented(personalDataInventory);
    if (process.env['UPDATE_INVENTORY'] === '1') writeFileSync(DOCUMENT, expected);
    const rowsOf = (text: string) =>
      text
        .split('\n')
        .filter((line) => line.startsWith('| `'))
        .map((line) => line.replace(/ +/g, ' '));
    expect(rowsOf(existsSync(DOCUMENT) ? readFileSync(DOCUMENT, 'utf8') : '')).toEqual(rowsOf(expected));
  });
});
