import { createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, loadConfig } from '@app/config';
import { askedAgain, eventually, undescribed, type Description } from '@app/testing';
import { canonicalJson } from '@app/transparency-log';
import { startStandalone, type RunningStandalone } from './start-standalone';

type Body = Record<string, unknown>;
type Answer<B = Body> = Readonly<{ status: number; body: B; text: string; headers: Headers }>;

/** Routes that people still ask about an erased contact. */
const STILL_ANSWERED = ['/v1/contacts/{contactId}/erasure'];

/** Bodies and ids that every route would take of a living contact. */
const BODIES: Readonly<Record<string, object>> = {
  'patch /v1/contacts/{contactId}': { profile: { firstName: 'B' } },
  'post /v1/contacts/{contactId}/points/credits': { points: 1, reason: 'gift' },
  'post /v1/contacts/{contactId}/points/debits': { points: 1, reason: 'fee' },
  'post /v1/contacts/{contactId}/purchases': {
    invoiceNumber: 'new',
    amount: { minor: 1, currency: 'EUR' },
  },
  'post /v1/contacts/{contactId}/messages': { channel: 'inbox', purpose: 'service', body: 'b' },
  'put /v1/contacts/{contactId}/consents/{purpose}': { granted: false, source: 'app' },
  'post /v1/contacts/{contactId}/devices': { platform: 'ios' },
  'put /v1/contacts/{contactId}/segments/{segmentId}': { mode: 'include' },
};

describe('erasing contacts, over HTTP', () => {
  let directory: string;
  let standalone: RunningStandalone;
  let rewardId: string;
  const keys: Record<string, string> = {};

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'regulars-erasure-'));
    const config = loadConfig(
      { REGULARS_DATA_DIR: join(directory, 'data'), PORT: '0', LOG_LEVEL: 'silent' },
      directory,
    );
    standalone = await startStandalone(config, createLogger('standalone', 'silent'));
    keys['admin'] = (standalone.api.adminKey as { key: string }).key;
    for (const role of ['operator', 'auditor', 'analyst']) {
      const { body } = await call('POST', '/v1/api-keys', { name: role, role });
      keys[role] = body['key'] as string;
    }
    const reward = { title: 'Coffee', price: { pool: 'main', points: 1 }, redemptionType: 'code', stock: 5 };
    rewardId = (await call('POST', '/v1/rewards', reward)).body['rewardId'] as string;
  });

  afterAll(async () => {
    await standalone?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  type Options = { role?: string; headers?: Record<string, string> };
  const call = async <B = Body>(
    method: string,
    path: string,
    body?: object,
    options: Options = {},
  ): Promise<Answer<B>> => (await askedAgain(() => ask(method, path, body, options))) as Answer<B>;
  const ask = async (
    method: string,
    path: string,
    body: object | undefined,
    { role = 'admin', headers = {} }: Options,
  ): Promise<Answer> => {
    const response = await fetch(`${standalone.api.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${keys[role]}`,
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = response.headers.get('content-type')?.includes('json') && !text.includes('\n');
    return {
      status: response.status,
      body: (json && text ? JSON.parse(text) : {}) as Body,
      text,
      headers: response.headers,
    };
  };

  const register = async (profile: object = {}): Promise<string> => {
    const { status, body } = await call('POST', '/v1/contacts', { profile });
    expect(status).toBe(201);
    return body['contactId'] as string;
  };
  /** As of the last answer. */
  const seen = ({ body }: Answer): string => `minPosition=${body['position'] as string}`;
  const erased = async (contactId: string): Promise<Answer> => {
    const answer = await call('DELETE', `/v1/contacts/${contactId}`);
    expect([answer.status, answer.body['state']]).toEqual([202, 'executing']);
    await eventually('it is erased', async () => {
      const { body } = await call('GET', `/v1/contacts/${contactId}/erasure?${seen(answer)}`);
      return body['state'] === 'completed' || body['state'] === 'partlyRetained';
    });
    return answer;
  };

  it('answers 410 on every route of the contact from the first moment on, and before that as ever', async () => {
    const contactId = await register({ firstName: 'A', email: 'walk@example.org' });
    const paths = (await call<{ paths: Record<string, Record<string, object>> }>('GET', '/openapi.json')).body
      .paths;
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      path.includes('{contactId}') && !STILL_ANSWERED.includes(path)
        ? Object.keys(methods).map((method) => [method, path] as const)
        : [],
    );
    expect(routes.length).toBeGreaterThan(25);
    const statusOf = async ([method, path]: readonly [string, string]): Promise<number> => {
      const concrete = path
        .replace('{contactId}', contactId)
        .replace('{purpose}', 'news')
        .replace(/\{\w+\}/g, '7f3c2f6e-52f4-4d0b-9f3e-0c1d7a9b1e55');
      const body =
        path.endsWith('/redemptions') && method === 'post' ? { rewardId } : BODIES[`${method} ${path}`];
      return (await call(method.toUpperCase(), concrete, body)).status;
    };
    for (const route of routes) {
      if (route[0] === 'delete' && route[1] === '/v1/contacts/{contactId}') continue;
      const status = await statusOf(route);
      expect([...route, [200, 201, 202, 404, 409].includes(status)]).toEqual([...route, true]);
    }
    const answer = await call('DELETE', `/v1/contacts/${contactId}`);
    expect(answer.status).toBe(202);
    const commands = routes.filter(([method]) => method !== 'get');
    for (const route of commands) expect([...route, await statusOf(route)]).toEqual([...route, 410]);
    // The answer waits for the read models, but not for ever: what is read as of it is gone in any case.
    await call('GET', `/v1/contacts/${contactId}/erasure?${seen(answer)}`);
    for (const route of routes) expect([...route, await statusOf(route)]).toEqual([...route, 410]);
    expect((await call('POST', '/v1/contacts', { contactId, profile: {} })).status).toBe(410);
    const mail = { channel: 'email', purpose: 'service', body: 'b' };
    expect((await call('POST', `/v1/contacts/${contactId}/messages`, mail)).status).toBe(410);
    const unknown = { rewardId: '7f3c2f6e-52f4-4d0b-9f3e-0c1d7a9b1e55' };
    expect((await call('POST', `/v1/contacts/${contactId}/redemptions`, unknown)).status).toBe(410);
    await eventually('it is complete', async () => {
      const { body } = await call('GET', `/v1/contacts/${contactId}/erasure`);
      return body['state'] === 'partlyRetained';
    });
    for (const route of routes) expect([...route, await statusOf(route)]).toEqual([...route, 410]);
  });

  it('gives a receipt in two stages that its key has signed', async () => {
    const document = (await call('GET', '/openapi.json')).body as unknown as Description;
    const contact = '/v1/contacts/{contactId}';
    const watched = async () => {
      const contactId = await register({ firstName: 'A', email: 'receipt@example.org' });
      const credited = { points: 30, reason: 'gift', note: 'canary' };
      await call('POST', `/v1/contacts/${contactId}/points/credits`, credited);
      const answer = await call('DELETE', `/v1/contacts/${contactId}`, { legalGround: 'objection' });
      expect(undescribed(document, ['delete', contact, 202], answer.body)).toEqual([]);
      const stages = new Set<string>();
      let receipt: Body & { signature: string; publicKey: string } = { signature: '', publicKey: '' };
      let last: Body = {};
      await eventually('it is complete', async () => {
        last = (await call('GET', `/v1/contacts/${contactId}/erasure?${seen(answer)}`)).body;
        expect(undescribed(document, ['get', `${contact}/erasure`, 200], last)).toEqual([]);
        if (last['receipt'] === undefined) return false;
        receipt = last['receipt'] as typeof receipt;
        stages.add(receipt['stage'] as string);
        const { signature, ...signed } = receipt;
        const key = createPublicKey({
          key: {
            kty: 'OKP',
            crv: 'Ed25519',
            x: Buffer.from(receipt.publicKey, 'base64').toString('base64url'),
          },
          format: 'jwk',
        });
        expect(verify(null, Buffer.from(canonicalJson(signed)), key, Buffer.from(signature, 'base64'))).toBe(
          true,
        );
        return last['state'] === 'completed';
      });
      return { contactId, stages: [...stages], receipt, last };
    };
    let told = await watched();
    // The first stage may have passed between two looks: then at the next contact's.
    for (let more = 20; more > 0 && told.stages.length < 2; more -= 1) told = await watched();
    const { contactId, stages, receipt, last } = told;
    expect(stages).toEqual(['unreachable', 'purged']);
    expect(last).toMatchObject({ legalGround: 'objection', completedAt: expect.any(String) });
    expect(receipt).toMatchObject({
      contactId,
      pointsForfeited: { main: 30 },
      suppressionTokens: 1,
      keys: [{ keyId: expect.stringMatching(/^p/) }, { keyId: expect.stringMatching(/^r/) }],
      stores: [
        { store: 'events', before: 4, after: 0 },
        { store: 'documents', before: 1, after: 0 },
      ],
    });
    expect(receipt['retained']).toBeUndefined();
  });

  it('leaves totals as they were, and the feed with figures', async () => {
    const summary = async (minPosition: Answer, filter = '') =>
      (await call(`GET`, `/v1/contacts/summary?${seen(minPosition)}${filter}`)).body as {
        total: number;
        purchases: number;
        checkIns: number;
        spend: Record<string, number>;
        points: Record<string, number>;
        byCity: { city: string; count: number }[];
        active30d: number;
      };
    const filter = `&filter=${encodeURIComponent(JSON.stringify({ metric: 'purchases.count', op: 'gte', value: 1 }))}`;
    const ids: string[] = [];
    for (let n = 0; n < 4; n += 1) {
      const contactId = await register({ firstName: 'Total', address: { city: 'Totalstadt' } });
      ids.push(contactId);
      const amount = { minor: 1_000 + n, currency: 'EUR' };
      await call('POST', `/v1/contacts/${contactId}/purchases`, { invoiceNumber: `canary-${n}`, amount });
      await call('POST', `/v1/contacts/${contactId}/check-ins`, {});
      await call('POST', `/v1/contacts/${contactId}/points/credits`, {
        points: 10,
        reason: 'gift',
        note: 'canary',
      });
    }
    const marker = await call('POST', '/v1/contacts', { profile: {} });
    const before = await summary(marker);
    expect((await summary(marker, filter)).purchases).toBe(4);
    await erased(ids[0]!);
    const last = await erased(ids[1]!);
    await call('POST', '/v1/contacts', { profile: {} });
    const after = await summary(await call('POST', '/v1/contacts', { profile: {} }));
    expect(after).toMatchObject({
      total: before.total,
      purchases: before.purchases,
      checkIns: before.checkIns,
      spend: before.spend,
      points: { ...before.points, main: (before.points['main'] ?? 0) - 20 },
      active30d: before.active30d,
    });
    expect(after.byCity.find(({ city }) => city === 'Totalstadt')?.count).toBe(2);
    expect(await summary(last, filter)).toMatchObject({ total: 2, purchases: 2 });
    const listed = await call<{ items: { contactId: string }[]; total: number }>(
      'GET',
      `/v1/contacts?limit=500&count=true&${seen(last)}`,
    );
    expect(listed.body.items.map(({ contactId }) => contactId)).not.toContain(ids[0]);
    expect(listed.body.total).toBe(after.total);
    const feed = await call<{ items: { type: string; contactId: string; data: Body }[] }>(
      'GET',
      `/v1/activity?contactId=${ids[0]}&limit=100`,
    );
    const types = feed.body.items.map(({ type }) => type);
    expect(types).toEqual([
      'ErasureCompleted',
      'ContactErased',
      'PointsForfeited',
      'ErasureStarted',
      'ErasureRequested',
      'PointsCredited',
      'CheckedIn',
      'PurchaseRecorded',
      'ContactRegistered',
    ]);
    expect(feed.text).not.toContain('canary');
    const kept = await call('GET', `/v1/contacts/${ids[0]}/erasure`);
    expect(kept.body).toMatchObject({
      state: 'partlyRetained',
      receipt: { retained: { reason: 'accounting', values: 1, until: expect.stringMatching(/-01-01T/) } },
    });
  });

  it('erases nobody twice, and nobody that is not there; the e-mail may come back, under a new id without a link', async () => {
    const email = 'back@example.org';
    const first = await register({ firstName: 'A', email });
    await erased(first);
    expect((await call('DELETE', `/v1/contacts/${first}`)).status).toBe(410);
    expect((await call('DELETE', '/v1/contacts/7f3c2f6e-52f4-4d0b-9f3e-0c1d7a9b1e55')).status).toBe(404);
    expect((await call('GET', '/v1/contacts/7f3c2f6e-52f4-4d0b-9f3e-0c1d7a9b1e55/erasure')).status).toBe(404);
    const again = await register({ firstName: 'A', email: 'BACK@example.org' });
    expect(again).not.toBe(first);
    const { text } = await call('GET', `/v1/contacts/${again}/subject-access`);
    expect(text).toContain('BACK@example.org');
    expect(text).not.toContain(first);
  });

  it('can be repeated with its key, and refuses what makes no sense', async () => {
    const contactId = await register();
    const headers = { 'idempotency-key': 'erase-1' };
    const one = await call('DELETE', `/v1/contacts/${contactId}`, undefined, { headers });
    const two = await call('DELETE', `/v1/contacts/${contactId}`, undefined, { headers });
    expect([two.status, two.headers.get('idempotency-replayed'), two.body]).toEqual([202, 'true', one.body]);
    const other = await register();
    for (const body of [
      { coolingOff: 'soon' },
      { coolingOff: 'P2M' },
      { legalGround: 'whim' },
      { unknown: 1 },
    ]) {
      expect((await call('DELETE', `/v1/contacts/${other}`, body)).status).toBe(422);
    }
    const revision = { 'if-match': '"7"' };
    expect((await call('DELETE', `/v1/contacts/${other}`, {}, { headers: revision })).status).toBe(412);
  });

  it('can be cancelled while it cools off, until which everything goes on', async () => {
    const contactId = await register({ firstName: 'Cool' });
    const path = `/v1/contacts/${contactId}`;
    expect((await call('POST', `${path}/erasure/cancellation`)).status).toBe(409);
    const asked = await call('DELETE', path, { coolingOff: 'P7D' });
    expect(asked.body).toMatchObject({ state: 'coolingOff', legalGround: 'noLongerNeeded' });
    expect((await call('DELETE', path)).status).toBe(409);
    expect((await call('POST', `${path}/points/credits`, { points: 1, reason: 'gift' })).status).toBe(201);
    expect((await call('GET', `${path}/erasure?${seen(asked)}`)).body).toMatchObject({ state: 'coolingOff' });
    expect((await call('GET', path)).body).toMatchObject({ profile: { firstName: 'Cool' } });
    const cancelled = await call('POST', `${path}/erasure/cancellation`);
    const document = (await call('GET', '/openapi.json')).body as unknown as Description;
    const cancellation = '/v1/contacts/{contactId}/erasure/cancellation';
    expect(undescribed(document, ['post', cancellation, 200], cancelled.body)).toEqual([]);
    expect([cancelled.status, cancelled.body['state']]).toEqual([200, 'cancelled']);
    expect((await call('GET', `${path}/erasure?${seen(cancelled)}`)).body).toMatchObject({
      state: 'cancelled',
    });
  });

  it('shows a contact whose processing is restricted to auditors and admins only', async () => {
    const contactId = await register({ firstName: 'Restricted', lastName: 'Restrictedson' });
    const path = `/v1/contacts/${contactId}`;
    const reads = [path, `${path}/activity`, `${path}/devices`, `${path}/subject-access`];
    const feeds = [`/v1/activity?contactId=${contactId}`, `/v1/activity/live?contactId=${contactId}`];
    const statuses = async (role: string) =>
      Promise.all(reads.map(async (read) => (await call('GET', read, undefined, { role })).status));
    const found = async (role: string) =>
      (await call<{ items: object[] }>('GET', '/v1/contacts?q=restrictedson', undefined, { role })).body.items
        .length;
    const lately = await call('PUT', `${path}/profiling-objection`, { reason: 'asked' });
    expect([lately.status, lately.body['profilingObjection']]).toEqual([200, true]);
    await call('GET', `/v1/contacts?limit=1&${seen(lately)}`);
    expect(await statuses('operator')).toEqual([200, 200, 200, 200]);
    expect(await statuses('auditor')).toEqual([403, 403, 403, 403]);
    expect(await found('operator')).toBe(1);
    const logRead = async (role: string) =>
      (await call('GET', `${path}/privacy-log`, undefined, { role })).status;
    expect([await logRead('operator'), await logRead('auditor')]).toEqual([200, 200]);
    const openFeed = await fetch(`${standalone.api.url}${feeds[1]}`, {
      signal: AbortSignal.timeout(40_000),
      headers: { authorization: `Bearer ${keys['operator']}` },
    });
    const restricted = await call(
      'PUT',
      `${path}/processing-restriction`,
      { reason: 'contested' },
      { role: 'operator' },
    );
    expect([restricted.status, restricted.body['processingRestricted']]).toEqual([200, true]);
    const document = (await call('GET', '/openapi.json')).body as unknown as Description;
    for (const [right, body] of [
      ['profiling-objection', lately.body],
      ['processing-restriction', restricted.body],
    ] as const)
      expect(undescribed(document, ['put', `/v1/contacts/{contactId}/${right}`, 200], body)).toEqual([]);
    await call('GET', `/v1/contacts?limit=1&${seen(restricted)}`);
    expect(await statuses('operator')).toEqual([403, 403, 403, 403]);
    for (const feed of feeds)
      expect((await call('GET', feed, undefined, { role: 'operator' })).status).toBe(403);
    // The one that was open ends, without a word of what came.
    expect(await openFeed.text()).not.toContain('ProcessingRestricted');
    const logReads = [await logRead('operator'), await logRead('auditor'), await logRead('admin')];
    expect(logReads).toEqual([403, 200, 200]);
    expect((await call('GET', feeds[0]!)).status).toBe(200);
    expect(await statuses('auditor')).toEqual([200, 200, 200, 200]);
    expect(await statuses('admin')).toEqual([200, 200, 200, 200]);
    expect([await found('operator'), await found('admin')]).toEqual([0, 1]);
    expect((await call('POST', `${path}/points/credits`, { points: 1, reason: 'gift' })).status).toBe(403);
    expect((await call('PUT', `${path}/consents/news`, { granted: true, source: 'app' })).status).toBe(200);
    expect((await call('GET', path)).body).toMatchObject({
      processingRestricted: true,
      profilingObjection: true,
    });
    const lifted = await call('DELETE', `${path}/processing-restriction`);
    expect(lifted.status).toBe(200);
    await call('GET', `/v1/contacts?limit=1&${seen(lifted)}`);
    expect(await statuses('operator')).toEqual([200, 200, 200, 200]);
    await call('PUT', `${path}/processing-restriction`);
    expect((await call('DELETE', path)).status).toBe(202);
  });

  it('tells everything that is held about a person, with where it comes from', async () => {
    const rule = { attr: 'profile.firstName', op: 'eq', value: 'Subject' };
    const segment = await call('POST', '/v1/segments', { name: 'Subjects', rule });
    expect(segment.status).toBe(201);
    const contactId = await register({
      firstName: 'Subject',
      email: 'subject@example.org',
      customFields: { shoe: '38' },
    });
    const path = `/v1/contacts/${contactId}`;
    await call('POST', `${path}/points/credits`, { points: 5, reason: 'gift', note: 'A note on Subject' });
    await call('POST', `${path}/purchases`, { invoiceNumber: 'R-77', amount: { minor: 5, currency: 'EUR' } });
    await call('POST', `${path}/devices`, { platform: 'ios', pushToken: 'push-token-77' });
    await call('POST', `${path}/messages`, { channel: 'inbox', purpose: 'service', body: 'Dear Subject' });
    await eventually('the contact is found to be in the segment', async () =>
      (await call('GET', `${path}/subject-access`)).text.includes('SegmentMembership'),
    );
    const { status, text, headers } = await call('GET', `${path}/subject-access`);
    expect([status, headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
    const facts = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Body);
    expect(facts.map(({ what }) => what)).toEqual([
      'ContactRegistered',
      'PointsCredited',
      'PurchaseRecorded',
      'DeviceRegistered',
      'MessageSent',
      'SegmentMembership',
    ]);
    for (const value of [
      'Subject',
      'subject@example.org',
      '38',
      'A note on Subject',
      'R-77',
      'push-token-77',
      'Dear Subject',
    ])
      expect(text).toContain(value);
    expect(facts[1]).toMatchObject({
      type: 'contacts.PointsCredited.v1',
      eventId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      position: expect.stringMatching(/^\d+$/),
      recordedAt: expect.any(String),
      data: { points: 5, note: 'A note on Subject' },
    });
    expect(facts.at(-1)).toMatchObject({
      eventId: facts[0]?.['eventId'],
      data: { segmentId: segment.body['segmentId'], name: 'Subjects', to: null, causeOut: null },
    });
    expect(text).not.toContain('emailClaim');
  });
});
