import { randomUUID } from 'node:crypto';
import { RunningSystem } from './running-system';

type Item = Readonly<{ position: string; type: string; contactId: string; data: Record<string, unknown> }>;
type Page<T> = Readonly<{ items: T[]; nextCursor: string | null; total?: number; asOfPosition: string }>;

/** Everything that can be asked about contacts, over HTTP, of what was just recorded. */
describe('reading contacts', () => {
  let system: RunningSystem;
  let position = '0';
  const ada = randomUUID();
  const bob = randomUUID();

  const command = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const answer = await system.call('POST', `/v1/contacts${path}`, { body });
    expect(answer.status).toBeLessThan(300);
    position = String(answer.body['position']);
    return answer.body;
  };
  const read = async <T>(path: string): Promise<T> => {
    const { status, body } = await system.call<T>(
      'GET',
      `/v1${path}${path.includes('?') ? '&' : '?'}minPosition=${position}`,
    );
    expect({ status, body }).toMatchObject({ status: 200 });
    return body;
  };

  beforeAll(async () => {
    system = await RunningSystem.start();
    const address = { city: 'Wien', country: 'AT' };
    await command('', {
      contactId: ada,
      registeredAt: '2024-01-05T10:00:00Z',
      profile: { firstName: 'Ada', lastName: 'Çelik', email: 'ada@example.org', tags: ['vip'], address },
    });
    await command('', {
      contactId: bob,
      profile: { firstName: 'Bob', gender: 'male', birthday: '1990-05-17' },
    });
    await command(`/${ada}/points/credits`, { points: 100, reason: 'welcome', note: 'a secret note' });
    await command(`/${ada}/purchases`, {
      invoiceNumber: 'INVOICE-77',
      amount: { minor: 1250, currency: 'EUR' },
      locationId: 'shop-1',
    });
    await command(`/${bob}/check-ins`, { checkInId: 'c-1', locationId: 'shop-1' });
    await command(`/${ada}/messages`, {
      channel: 'inbox',
      purpose: 'service',
      subject: 'Hello',
      body: 'A secret body',
    });
  });

  afterAll(() => system.dispose());

  it('lists, filters, searches, sorts and pages', async () => {
    const ids = async (query: string) =>
      (await read<Page<{ contactId: string }>>(`/contacts?${query}`)).items.map(({ contactId }) => contactId);
    const filter = (rule: object) => `filter=${encodeURIComponent(JSON.stringify(rule))}`;
    expect(await ids('sort=lastName')).toEqual([bob, ada]);
    expect(await ids('sort=-spend.EUR')).toEqual([ada, bob]);
    expect(await ids('q=cel')).toEqual([ada]);
    expect(await ids('tag=vip')).toEqual([ada]);
    expect(await ids(filter({ attr: 'profile.address.city', op: 'eq', value: 'WIEN' }))).toEqual([ada]);
    expect(await ids(filter({ not: { metric: 'purchases.count', op: 'gte', value: 1 } }))).toEqual([bob]);
    const first = await read<Page<{ contactId: string }>>('/contacts?sort=-points.main&limit=1&count=true');
    expect(first).toMatchObject({ items: [{ contactId: ada, points: { main: 100 } }], total: 2 });
    expect(first.nextCursor).not.toContain(ada);
    const cursor = encodeURIComponent(first.nextCursor ?? '');
    const second = await read<Page<{ contactId: string }>>(
      `/contacts?sort=-points.main&limit=1&cursor=${cursor}`,
    );
    expect(second).toMatchObject({ items: [{ contactId: bob, points: {} }], nextCursor: null });
    const body = { filter: { attr: 'profile.gender', op: 'eq', value: 'male' } };
    const searched = await system.call<Page<object>>('POST', `/v1/contacts/search?minPosition=${position}`, {
      body,
    });
    expect(searched).toMatchObject({
      status: 200,
      body: { items: [{ contactId: bob, age: expect.any(Number) as number }] },
    });
  });

  it.each([
    ['sort=password', 422, '/sort'],
    ['filter=%7B%22attr%22%3A%22x%22%7D', 422, '/filter/attr'],
    ['filter=%7B', 422, '/filter'],
    ['limit=501', 422, '/limit'],
    ['asOf=2024-01-01T00:00:00Z', 422, '/asOf'],
    ['q=%20', 422, '/q'],
    [`segment=${randomUUID()}`, 422, '/segment'],
    ['sort=email&sort=city', 422, '/sort'],
    ['q[$gt]=x', 422, '/q[$gt]'],
    ['tag=a&tag=b', 422, '/tag'],
  ])('refuses ?%s with %i at %s', async (query, status, pointer) => {
    const answer = await system.call<{ errors: unknown[] }>('GET', `/v1/contacts?${query}`);
    expect(answer).toMatchObject({ status, body: { errors: [{ pointer }] } });
  });

  it('refuses a cursor that it did not make', async () => {
    expect(await system.call('GET', '/v1/contacts?cursor=AAAA')).toMatchObject({
      status: 400,
      body: { code: 'invalid-cursor' },
    });
  });

  it('shows one contact with its ETag, and nobody with 404', async () => {
    const path = `/v1/contacts/${ada}?minPosition=${position}`;
    const { headers, body } = await system.call('GET', path);
    expect(body).toMatchObject({
      contactId: ada,
      profile: { firstName: 'Ada', lastName: 'Çelik', address: { city: 'Wien' } },
      registeredAt: '2024-01-05T10:00:00.000Z',
      balances: { main: 100 },
      lots: [{ pool: 'main', points: 100, expiresAt: null }],
      counts: { purchases: 1, checkIns: 0, redemptions: 0, messages: 1 },
      spend: { EUR: 1250 },
    });
    expect(headers.get('etag')).toBe(`"${String(body['revision'])}"`);
    for (const path of ['', '/activity', '/points', '/devices']) {
      expect(await system.call('GET', `/v1/contacts/${randomUUID()}${path}`)).toMatchObject({ status: 404 });
    }
  });

  it('shows a contact’s own notes, invoices and messages in its lists', async () => {
    const [points] = (await read<Page<Item>>(`/contacts/${ada}/points`)).items;
    expect(points).toMatchObject({ type: 'PointsCredited', data: { points: 100, note: 'a secret note' } });
    const [purchase] = (await read<Page<Item>>(`/contacts/${ada}/purchases`)).items;
    expect(purchase?.data).toMatchObject({ invoiceNumber: 'INVOICE-77', locationId: 'shop-1' });
    const [message] = (await read<Page<Item>>(`/contacts/${ada}/messages`)).items;
    expect(message?.data).toMatchObject({ subject: 'Hello', body: 'A secret body', channel: 'inbox' });
    const checkIns = await read<Page<Item>>(`/contacts/${bob}/check-ins`);
    expect(checkIns.items).toMatchObject([{ data: { checkInId: 'c-1' } }]);
    expect((await read<Page<Item>>(`/contacts/${ada}/redemptions`)).items).toEqual([]);
    expect((await read<Page<Item>>(`/contacts/${ada}/devices`)).items).toEqual([]);
    const everything = await read<Page<Item>>(`/contacts/${ada}/activity?limit=500`);
    expect(everything.items.map(({ type }) => type)).toEqual([
      'MessageSent',
      'PurchaseRecorded',
      'PointsCredited',
      'ContactRegistered',
    ]);
  });

  it('shows what happened to all, in figures', async () => {
    const { items } = await read<Page<Item>>('/activity');
    expect(items).toHaveLength(6);
    expect(JSON.stringify(items)).not.toMatch(/secret|INVOICE|ada@|Ada|Wien/);
    const shop = await read<Page<Item>>('/activity?locationId=shop-1');
    expect(shop.items.map(({ type }) => type)).toEqual(['CheckedIn', 'PurchaseRecorded']);
    expect((await read<Page<Item>>(`/activity?contactId=${bob}&type=CheckedIn`)).items).toHaveLength(1);
    expect(await system.call('GET', '/v1/activity?type=Nothing')).toMatchObject({ status: 422 });
  });

  it('counts who they are', async () => {
    expect(await read('/contacts/summary')).toMatchObject({
      total: 2,
      byGender: { male: 1, unknown: 1 },
      byCity: [{ city: 'Wien', count: 1 }],
      points: { main: 100 },
      spend: { EUR: 1250 },
      purchases: 1,
      checkIns: 1,
    });
  });

  it('follows live, resumes behind an event, and says when it cannot', async () => {
    const frames = async (query: string, headers: Record<string, string>, until: RegExp): Promise<string> => {
      const closed = new AbortController();
      const answer = await fetch(`${system.url}/v1/activity/live${query}`, {
        headers: { authorization: `Bearer ${system.adminKey}`, ...headers },
        signal: AbortSignal.any([closed.signal, AbortSignal.timeout(120_000)]),
      });
      expect(answer.headers.get('content-type')).toMatch('text/event-stream');
      const decoder = new TextDecoder();
      let text = '';
      for await (const chunk of answer.body ?? []) {
        text += decoder.decode(chunk as Uint8Array, { stream: true });
        if (until.test(text)) break;
      }
      closed.abort();
      return text;
    };
    const { items } = await read<Page<Item>>('/activity');
    const [newest, second] = items;
    const behind = second?.position ?? '';
    const resumed = await frames('', { 'last-event-id': behind }, /MessageSent/);
    expect(resumed).toContain(`id: ${newest?.position}\nevent: activity\ndata: {`);
    expect(resumed).not.toContain(`id: ${behind}\n`);
    expect(await frames(`?lastEventId=${behind}&type=MessageSent`, {}, /MessageSent/)).toContain(
      'event: activity',
    );
    expect(await frames('?lastEventId=999999999999', {}, /reset/)).toMatch(
      /event: reset\ndata: \{"reason":"unknown"/,
    );

    const following = frames(`?contactId=${bob}`, {}, /PointsCredited/);
    // It starts now, whenever that is: so something is recorded until it has been seen.
    let seen = false;
    const done = following.then((text) => {
      seen = true;
      return text;
    });
    for (let n = 0; n < 200 && !seen; n += 1) {
      await command(`/${bob}/points/credits`, { points: 1, reason: 'gift' });
      await command(`/${ada}/points/credits`, { points: 1, reason: 'gift' });
    }
    const text = await done;
    expect(text).toContain(bob);
    expect(text).not.toContain(ada);
  });
});
