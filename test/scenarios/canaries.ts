import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { RunningSystem } from './running-system';

/** What every personal value of those who are erased, and of those who stay, begins with; of phone numbers, in digits. */
export const ERASED = ['verschollener', '4377770001'] as const;
export const LIVING = ['bleibender', '4388880001'] as const;
export type Canary = readonly [word: string, phone: string];

/** How a text may be written in a file, wherever in a larger value it stands. */
export const formsOf = (text: string): readonly Buffer[] => {
  const bytes = Buffer.from(text);
  const base64 = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    return encoded.slice([0, 2, 3][offset], Math.floor(((offset + bytes.length) * 4) / 3));
  });
  const percent = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const escaped = [...text].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
  return [
    bytes,
    Buffer.from(text.toUpperCase()),
    Buffer.from(bytes.toString('hex')),
    Buffer.from(bytes.toString('hex').toUpperCase()),
    Buffer.from(percent),
    Buffer.from(percent.toUpperCase()),
    Buffer.from(escaped),
    Buffer.from(text, 'utf16le'),
    Buffer.from(text, 'utf16le').swap16(),
    ...base64.map((form) => Buffer.from(form)),
    ...base64.map((form) => Buffer.from(form.replaceAll('+', '-').replaceAll('/', '_'))),
  ];
};

/** Whether one of the texts stands in the bytes, in whatever form. */
export const holds = (content: Buffer, texts: readonly string[]): boolean =>
  texts.flatMap(formsOf).some((form) => content.includes(form));

/** Files of the folder in which one of the texts stands. */
export const holding = (folder: string, texts: readonly string[]): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile() && holds(readFileSync(path), texts))
    .map((path) => relative(folder, path));

/** Puts values of somebody through every door there is; none of them may keep it but sealed or in a marked field. */
export const plant = async (
  system: RunningSystem,
  contactId: string,
  n: number,
  [word, phone]: Canary,
): Promise<void> => {
  const value = (field: string): string => `${word}-${field}-${n}`;
  const email = `${word}-${n}@example.org`;
  const path = `/v1/contacts/${contactId}`;
  const send = async (method: string, to: string, body?: object): Promise<number> =>
    (await system.call(method, to, body === undefined ? {} : { body })).status;
  const profile = {
    firstName: value('first'),
    lastName: value('last'),
    email,
    phone: `+${phone}${String(n).padStart(2, '0')}`,
    address: { street: value('street'), postalCode: value('pc'), city: value('city'), country: 'AT' },
    customFields: { motto: value('custom') },
    tags: [value('tag')],
  };
  expect(await send('POST', '/v1/contacts', { contactId, profile })).toBe(201);
  const changed = {
    lastName: value('changed'),
    email: `${word}-later-${n}@example.org`,
    customFields: { motto: value('changed-custom'), further: value('further') },
    tags: [value('tag'), value('further-tag')],
  };
  expect(await send('PATCH', path, { profile: changed })).toBe(200);
  const credit = { points: 10, reason: 'gift', note: value('note') };
  expect(await send('POST', `${path}/points/credits`, credit)).toBe(201);
  expect(await send('POST', `${path}/points/debits`, { ...credit, points: 1 })).toBe(201);
  const device = {
    platform: 'ios',
    model: value('model'),
    osVersion: value('os'),
    pushToken: value('push'),
    appVersion: value('app'),
  };
  expect(await send('POST', `${path}/devices`, device)).toBe(201);
  const message = { channel: 'inbox', purpose: 'service', subject: value('subject'), body: value('body') };
  expect(await send('POST', `${path}/messages`, message)).toBe(202);
  const purchase = { invoiceNumber: value('invoice'), amount: { minor: 100, currency: 'EUR' } };
  expect(await send('POST', `${path}/purchases`, purchase)).toBe(201);
  // Read everywhere, and searched for.
  for (const read of ['', '/activity', '/messages', '/purchases', '/devices', '/subject-access', '/points'])
    expect(await send('GET', `${path}${read}`)).toBe(200);
  expect(await send('GET', `/v1/contacts?q=${value('last')}&tag=${value('tag')}`)).toBe(200);
  const filter = { attr: 'profile.lastName', op: 'eq', value: value('last') };
  expect(await send('POST', '/v1/contacts/search', { filter, q: value('first') })).toBe(200);
  expect(await send('GET', `/v1/contacts/summary?filter=${encodeURIComponent(JSON.stringify(filter))}`)).toBe(
    200,
  );
  // Refused in every way.
  expect(await send('POST', '/v1/contacts', { profile: { email: changed.email } })).toBe(409);
  expect(await send('POST', '/v1/contacts', { profile: { email: value('noemail') } })).toBe(422);
  expect(await send('POST', '/v1/contacts', { [value('unknown')]: value('x') })).toBe(422);
  expect(await send('PATCH', path, { profile: { birthday: value('birthday') } })).toBe(422);
  expect(await send('POST', `${path}/points/debits`, { ...credit, points: 1_000 })).toBe(409);
  expect(await send('POST', `${path}/messages`, { ...message, channel: value('channel') })).toBe(422);
  expect(
    await send('POST', '/v1/contacts/search', { filter: { attr: value('attr'), op: 'eq', value: 1 } }),
  ).toBe(422);
  expect(await send('GET', `/v1/contacts?sort=${value('sort')}`)).toBe(422);
  expect(await send('GET', `/v1/contacts?cursor=${value('cursor')}`)).toBe(400);
  expect([400, 404, 422]).toContain(await send('GET', `/v1/contacts/${value('id')}`));
  expect(await send('GET', `/v1/${value('path')}`)).toBe(404);
  const raw = async (text: string): Promise<number> =>
    (await system.call('POST', '/v1/contacts', { raw: text })).status;
  expect(await raw(`{"profile": "${value('broken')}`)).toBe(400);
  expect(await raw(`${value('broken')}`)).toBe(400);
  const foreign = await system.call('GET', `/v1/contacts?q=${value('foreign')}`, { key: value('api-key') });
  expect(foreign.status).toBe(401);
  const key = { 'idempotency-key': value('key') };
  const consent = { body: { granted: true, source: 'app' }, headers: key };
  expect((await system.call('PUT', `${path}/consents/news`, consent)).status).toBe(200);
};
