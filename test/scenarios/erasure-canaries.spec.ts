import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { RunningSystem, newDataDir, runToEnd } from './running-system';

jest.setTimeout(120_000);

const CONTACTS = 20;
/** What every personal value of those who are erased, and of those who stay, begins with; of phone numbers, in digits. */
const ERASED = ['verschollener', '4377770001'];
const LIVING = ['bleibender', '4388880001'];

/** How a text may be written in a file, wherever in a larger value it stands. */
const formsOf = (text: string): readonly Buffer[] => {
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

const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());

/** Files of the folder in which one of the texts stands, in whatever form. */
const holding = (folder: string, texts: readonly string[]): readonly string[] => {
  const forms = texts.flatMap(formsOf);
  return filesIn(folder).flatMap((path) => {
    const content = readFileSync(path);
    return forms.some((form) => content.includes(form)) ? [relative(folder, path)] : [];
  });
};

describe('values of erased contacts', () => {
  let system: RunningSystem;
  const dataDir = newDataDir();
  afterAll(async () => {
    await system?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** Puts a value of somebody through every door there is; none of them may keep it but sealed or in a marked field. */
  const plant = async (contactId: string, n: number, [word, phone]: readonly string[]): Promise<void> => {
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
    expect(await send('PATCH', path, { profile: { lastName: value('changed') } })).toBe(200);
    const credit = { points: 10, reason: 'gift', note: value('note') };
    expect(await send('POST', `${path}/points/credits`, credit)).toBe(201);
    expect(await send('POST', `${path}/points/debits`, { ...credit, points: 1 })).toBe(201);
    const device = {
      platform: 'ios',
      model: value('model'),
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
    expect(await send('POST', '/v1/contacts/search', { filter })).toBe(200);
    // Refused in every way.
    expect(await send('POST', '/v1/contacts', { profile: { email } })).toBe(409);
    expect(await send('POST', '/v1/contacts', { profile: { email: value('noemail') } })).toBe(422);
    expect(await send('POST', '/v1/contacts', { [value('unknown')]: value('x') })).toBe(422);
    expect(await send('GET', `/v1/contacts?sort=${value('sort')}`)).toBe(422);
    expect(await send('GET', `/v1/${value('path')}`)).toBe(404);
    expect(
      (await system.call('POST', '/v1/contacts', { raw: `{"profile": "${value('broken')}` })).status,
    ).toBe(400);
    const key = { 'idempotency-key': value('key') };
    expect(
      (
        await system.call('PUT', `${path}/consents/news`, {
          body: { granted: true, source: 'app' },
          headers: key,
        })
      ).status,
    ).toBe(200);
  };

  it('are nowhere in any file or output, in whatever form; of the others only where they are marked', async () => {
    system = await RunningSystem.start({ dataDir });
    const people = Array.from({ length: CONTACTS }, (_, n) => ({
      contactId: randomUUID(),
      n,
      erased: n % 2 === 0,
    }));
    await Promise.all(
      people.map(({ contactId, n, erased }) => plant(contactId, n, erased ? ERASED : LIVING)),
    );
    // The search finds what is there.
    expect(holding(dataDir, LIVING).length).toBeGreaterThan(0);
    expect(holding(dataDir, ERASED).length).toBeGreaterThan(0);
    const before = await system.call('GET', '/v1/contacts/summary');

    const list = join(dataDir, 'ids.txt');
    writeFileSync(list, people.flatMap(({ contactId, erased }) => (erased ? [contactId] : [])).join('\n'));
    const { code, output } = await runToEnd('ops', ['erase', '--url', system.url, '--file', list, '--wait'], {
      REGULARS_DATA_DIR: dataDir,
    });
    expect([code, /10 erased, 0 had been before, 0 unknown/.test(output)]).toEqual([0, true]);
    const answers = await Promise.all(
      ['/metrics', '/v1/privacy-log?limit=500', '/v1/activity?limit=500', '/v1/contacts?limit=500'].map(
        async (path) => JSON.stringify((await system.call('GET', path)).body),
      ),
    );
    for (const word of ERASED) for (const text of answers) expect(text).not.toContain(word);
    for (const { contactId, erased } of people)
      expect((await system.call('GET', `/v1/contacts/${contactId}`)).status).toBe(erased ? 410 : 200);
    const marker = await system.call('POST', '/v1/contacts', { body: { profile: {} } });
    const after = await system.call(
      'GET',
      `/v1/contacts/summary?minPosition=${String(marker.body['position'])}`,
    );
    for (const figure of ['purchases', 'spend', 'checkIns'])
      expect(after.body[figure]).toEqual(before.body[figure]);
    expect(after.body['total']).toBe(CONTACTS / 2 + 1);

    await system.stop();
    expect(holding(dataDir, ERASED)).toEqual([]);
    expect(holding(join(dataDir, 'eventstore'), LIVING)).toEqual([]);
    expect(holding(join(dataDir, 'keys'), LIVING)).toEqual([]);
    for (const word of [...ERASED, ...LIVING]) expect(system.output()).not.toContain(word);

    // Built again from the first event, the read models hold the same.
    rmSync(join(dataDir, 'mongodb'), { recursive: true });
    system = await RunningSystem.start({ dataDir });
    const rebuilt = await system.call(
      'GET',
      `/v1/contacts/summary?minPosition=${String(marker.body['position'])}`,
    );
    expect({ ...rebuilt.body, asOfPosition: '' }).toEqual({ ...after.body, asOfPosition: '' });
    await system.stop();
    expect(holding(dataDir, ERASED)).toEqual([]);
    expect(holding(join(dataDir, 'mongodb'), LIVING).length).toBeGreaterThan(0);
  });
});
