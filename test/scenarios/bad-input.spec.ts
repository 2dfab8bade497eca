import { randomUUID } from 'node:crypto';
import { RunningSystem, type Answer, type Call } from './running-system';

/** Every kind of bad input gets a problem document that says what to change, and changes nothing. */
describe('bad input', () => {
  let system: RunningSystem;
  let contactId: string;

  beforeAll(async () => {
    system = await RunningSystem.start();
    contactId = randomUUID();
    const { status } = await system.call('POST', '/v1/contacts', {
      body: { contactId, profile: { firstName: 'Ada', email: 'ada@example.org' } },
    });
    expect(status).toBe(201);
    const credit = { points: 100, reason: 'welcome' };
    const credited = await system.call('POST', `/v1/contacts/${contactId}/points/credits`, { body: credit });
    // What changed is told from the read model: it has to be at the last command first.
    const position = String(credited.body['position']);
    expect((await system.call('GET', `/v1/contacts/${contactId}?minPosition=${position}`)).status).toBe(200);
  });

  afterAll(() => system.dispose());

  const revision = async (): Promise<unknown> => {
    const { body: credited } = await system.call('GET', `/v1/contacts/${contactId}`);
    return credited['revision'];
  };

  /** Sends it, and sees that it is refused in the one form and that the contact is as it was. */
  const refused = async (status: number, method: string, path: string, call: Call = {}): Promise<Answer> => {
    const before = await revision();
    const answer = await system.call(method, path.replace(':id', contactId), call);
    expect({ status: answer.status, body: answer.body }).toMatchObject({ status });
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({
      type: expect.stringMatching(/^https?:/) as string,
      title: expect.any(String) as string,
      status,
      detail: expect.any(String) as string,
      instance: path.replace(':id', contactId).split('?')[0],
    });
    expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|\.ts:|\.js:/);
    expect(await revision()).toBe(before);
    return answer;
  };

  const CREDITS = '/v1/contacts/:id/points/credits';
  const pointers = ({ body }: Answer): unknown[] =>
    (body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer);

  describe('what is not JSON', () => {
    it.each([
      ['malformed', '{"points": 1,'],
      ['cut off', '{"points"'],
      ['empty', ''],
      ['not an object', '[1]'],
      ['a bare value', '"points"'],
    ])('refuses a body that is %s', async (_, raw) => {
      const answer = await system.call('POST', CREDITS.replace(':id', contactId), { raw });
      expect([400, 422]).toContain(answer.status);
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    });

    it('refuses invalid UTF-8', () =>
      refused(400, 'POST', CREDITS, {
        raw: new Uint8Array([...Buffer.from('{"points":1,"reason":"'), 0xc3, 0x28, ...Buffer.from('"}')]),
      }));

    it('refuses other content types', () =>
      refused(415, 'POST', CREDITS, { raw: 'points=1', headers: { 'content-type': 'text/plain' } }));

    it('refuses a body over 1 MiB', () =>
      refused(413, 'POST', CREDITS, { raw: JSON.stringify({ points: 1, note: 'x'.repeat(1_100_000) }) }));

    it('refuses depth beyond reason', () =>
      refused(400, 'POST', CREDITS, { raw: `{"points":${'['.repeat(5_000)}${']'.repeat(5_000)}}` }));

    it.each(['{"__proto__":{"points":1}}', '{"constructor":{"prototype":{"points":1}}}'])(
      'refuses %s',
      async (raw) => {
        const answer = await system.call('POST', CREDITS.replace(':id', contactId), { raw });
        expect([400, 422]).toContain(answer.status);
        expect(({} as Record<string, unknown>)['points']).toBeUndefined();
      },
    );
  });

  describe('values', () => {
    it.each([
      ['negative', -1],
      ['zero', 0],
      ['a fraction', 1.5],
      ['huge', 1e15],
      ['beyond exact numbers', 2 ** 53],
      ['a text', '10'],
      ['null', null],
      ['a list', [10]],
      ['an operator', { $gt: '' }],
      ['true', true],
    ])('refuses points that are %s', async (_, points) => {
      const answer = await refused(422, 'POST', CREDITS, { body: { points, reason: 'gift' } });
      expect(pointers(answer)).toContain('/points');
    });

    it('refuses unknown fields, by name', async () => {
      const answer = await refused(422, 'POST', CREDITS, {
        body: { points: 1, reason: 'gift', bonus: true },
      });
      expect(pointers(answer)).toEqual(['/bonus']);
    });

    it('refuses a missing field, by name', async () => {
      const answer = await refused(422, 'POST', CREDITS, { body: { points: 1 } });
      expect(pointers(answer)).toEqual(['/reason']);
    });

    it('points into nested objects', async () => {
      const answer = await refused(422, 'PATCH', '/v1/contacts/:id', {
        body: { profile: { address: { country: 'Atlantis' } } },
      });
      expect(pointers(answer)).toEqual(['/profile/address/country']);
    });

    it.each([
      ['an e-mail without @', { email: 'ada' }],
      ['an e-mail that is an operator', { email: { $gt: '' } }],
      ['a birthday that does not exist', { birthday: '1990-02-30' }],
      ['a gender that is none of ours', { gender: 'F' }],
      ['an unknown profile field', { nickname: 'A' }],
      ['a custom field that is an object', { customFields: { size: { $ne: 1 } } }],
      ['a tag that is a number', { tags: [1] }],
    ])('refuses %s', (_, profile) => refused(422, 'PATCH', '/v1/contacts/:id', { body: { profile } }));

    it.each([
      ['a time without offset', '2026-01-01T00:00:00'],
      ['a date', '2026-01-01'],
      ['the far future', '2999-01-01T00:00:00Z'],
      ['a number', 1],
    ])('refuses occurredAt that is %s', (_, occurredAt) =>
      refused(422, 'POST', CREDITS, { body: { points: 1, reason: 'gift', occurredAt } }),
    );
  });

  describe('rules', () => {
    it('refuses an overdraft, and says the balance', async () => {
      const { body } = await refused(409, 'POST', '/v1/contacts/:id/points/debits', {
        body: { points: 101, reason: 'gift' },
      });
      expect(body).toMatchObject({ balance: 100 });
    });

    it('does not know a contact', () =>
      refused(404, 'POST', `/v1/contacts/${randomUUID()}/points/credits`, {
        body: { points: 1, reason: 'gift' },
      }));

    it('refuses an id that is none', () => refused(422, 'GET', '/v1/contacts/7'));

    it('refuses a stale If-Match', () =>
      refused(412, 'POST', CREDITS, { body: { points: 1, reason: 'gift' }, headers: { 'if-match': '"0"' } }));

    it('refuses an If-Match that is none', () =>
      refused(400, 'POST', CREDITS, { body: { points: 1, reason: 'gift' }, headers: { 'if-match': 'W/x' } }));

    it('refuses another payload under one idempotency key', async () => {
      const headers = { 'idempotency-key': randomUUID() };
      const path = CREDITS.replace(':id', contactId);
      const first = await system.call('POST', path, { body: { points: 1, reason: 'gift' }, headers });
      expect(first.status).toBe(201);
      await system.call('GET', `/v1/contacts?minPosition=${String(first.body['position'])}`);
      await refused(422, 'POST', CREDITS, { body: { points: 2, reason: 'gift' }, headers });
      const again = await system.call('POST', path, { body: { points: 1, reason: 'gift' }, headers });
      expect(again.headers.get('idempotency-replayed')).toBe('true');
      expect(again.body).toEqual(first.body);
    });

    it.each(['', '"', 'x'.repeat(256), 'ä'])('refuses the idempotency key %p', async (key) => {
      const headers = { 'idempotency-key': Buffer.from(key, 'utf8').toString('latin1') };
      await refused(400, 'POST', CREDITS, { body: { points: 1, reason: 'gift' }, headers });
    });

    it('refuses a second contact of one e-mail, whatever its case', async () => {
      const { status } = await system.call('POST', '/v1/contacts', {
        body: { profile: { email: 'ADA@Example.org' } },
      });
      expect(status).toBe(409);
    });
  });

  describe('lists', () => {
    it.each([
      ['a forged cursor', 'cursor=AAAA'],
      ['a cursor of another list', 'cursor=eyJhIjoxfQ'],
    ])('refuses %s', (_, query) => refused(400, 'GET', `/v1/contacts?${query}`));

    it('refuses a cursor under another sort', async () => {
      await system.call('POST', '/v1/contacts', { body: { profile: { firstName: 'Bo' } } });
      const { body } = await system.call('GET', '/v1/contacts?limit=1&sort=firstName');
      const cursor = String(body['nextCursor']);
      await refused(400, 'GET', `/v1/contacts?limit=1&sort=lastName&cursor=${cursor}`);
    });

    it.each([
      'limit=0',
      'limit=501',
      'limit=ten',
      'sort=password',
      'sort=$where',
      'minPosition=-1',
      'minPosition=x',
      'unknown=1',
      `filter=${encodeURIComponent('{"attr":"profile.email","op":"eq","value":{"$gt":""}}')}`,
      `filter=${encodeURIComponent('{"$where":"1"}')}`,
      `filter=${encodeURIComponent('{"all":[]}')}`,
      'filter=%7B',
    ])('refuses %s', async (query) => {
      const answer = await system.call('GET', `/v1/contacts?${query}`);
      expect([400, 422]).toContain(answer.status);
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    });

    it('answers 503 with Retry-After to a position that nothing has reached', async () => {
      const answer = await refused(503, 'GET', '/v1/contacts?minPosition=9007199254740993', {
        patient: false,
      });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    });
  });

  describe('keys', () => {
    it.each([
      ['none', null],
      ['a wrong one', 'reg_wrong'],
      ['one with blanks', 'a b'],
    ])('refuses a call with %s', async (_, key) => {
      const answer = await system.call('GET', '/v1/contacts', { key });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    });

    it.each(['/health/live', '/health/ready', '/openapi.json'])('needs none for %s', async (path) => {
      expect((await system.call('GET', path, { key: null })).status).toBe(200);
    });
  });

  it('does not know other paths, and says so in the one form', () => refused(404, 'GET', '/v1/nothing'));

  it('never logs a personal value', () => {
    expect(system.output()).not.toMatch(/ada@example|ADA@Example/);
  });
});
