import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, loadConfig } from '@app/config';
import { openReadDatabase } from '@app/read-store';
import { askedAgain, eventually, undescribed, type Description } from '@app/testing';
import {
  leafBytes,
  leafHash,
  openCheckpoint,
  parseEntryBundle,
  parseTile,
  parseVerifierKey,
  tilePath,
  TILE_WIDTH,
  verifyConsistency,
  verifyInclusion,
} from '@app/transparency-log';
import { startApi, type RunningApi } from '../../api/src/start-api';
import { startProjector, type RunningProjector } from '../../projector/src/start-projector';
import { startStores, type RunningStores } from './stores';

type Body = Record<string, unknown>;
type Entry = Readonly<{
  index: number;
  action: string;
  outcome: string;
  leafHash: string;
  correlationId: string;
}> &
  Body;

const UNKNOWN = '0b8f7a4e-8f0e-4f1c-9d7e-0a4b5c6d7e8f';

describe('the privacy log, over HTTP', () => {
  let directory: string;
  let stores: RunningStores;
  let projector: RunningProjector;
  let apis: RunningApi[];
  const keys: Record<string, { key: string; id: string }> = {};
  const config = () =>
    loadConfig(
      {
        REGULARS_DATA_DIR: join(directory, 'data'),
        PORT: '0',
        LOG_LEVEL: 'silent',
        PRIVACY_WITNESS: join(directory, 'witness'),
      },
      directory,
    );
  const logger = createLogger('test', 'silent');
  const startProjecting = () => startProjector({ config: config(), servers: stores.servers, logger });

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'regulars-privacy-log-'));
    stores = await startStores(config());
    projector = await startProjecting();
    const start = () => startApi({ config: config(), servers: stores.servers, logger, ownsLog: false });
    const first = await start();
    apis = [first, await start()];
    keys['admin'] = { key: (first.adminKey as { key: string }).key, id: '' };
    for (const role of ['operator', 'auditor', 'analyst']) {
      const { body } = await call('POST', '/v1/api-keys', { body: { name: role, role } });
      keys[role] = { key: body['key'] as string, id: body['id'] as string };
    }
  });

  afterAll(async () => {
    for (const api of apis ?? []) await api.close();
    await projector?.close();
    await stores?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  type Options = { body?: object; role?: string; headers?: Record<string, string>; api?: number };
  const ask = (method: string, path: string, { body, role = 'admin', headers = {}, api = 0 }: Options = {}) =>
    fetch(`${(apis[api] as RunningApi).url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${keys[role]?.key}`,
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
    });
  const call = (method: string, path: string, options: Options = {}) =>
    askedAgain(() => asked(method, path, options));
  const asked = async (method: string, path: string, options: Options) => {
    const response = await ask(method, path, options);
    const text = await response.text();
    const isJson = /json(;|$)/.test(response.headers.get('content-type') ?? '') && !text.includes('\n');
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: (isJson && text ? JSON.parse(text) : {}) as Body,
    };
  };
  const bytesOf = async (path: string) => {
    const response = await ask('GET', path, { role: 'auditor' });
    return { response, bytes: Buffer.from(await response.arrayBuffer()) };
  };
  const list = async (query: string): Promise<readonly Entry[]> =>
    (await call('GET', `/v1/privacy-log?limit=500&${query}`, { role: 'auditor' })).body['items'] as Entry[];
  /** The entry of the request that was just made. */
  const entryOf = async (requestId: string): Promise<Entry> => {
    let found: Entry | undefined;
    await eventually('the entry is there', async () => {
      found = (await list('')).find(({ correlationId }) => correlationId === requestId);
      return found !== undefined;
    });
    return found as Entry;
  };
  const requestIdOf = ({ headers }: { headers: Headers }): string => headers.get('x-request-id') ?? '';
  /** Resolves once the contact can be read. */
  const register = async (profile: object = { firstName: 'Canary' }): Promise<string> => {
    const { contactId, position } = (await call('POST', '/v1/contacts', { body: { profile } })).body;
    await call('GET', `/v1/contacts/${String(contactId)}?minPosition=${String(position)}`);
    return String(contactId);
  };
  const checkpoint = async () => {
    const { status, text } = await call('GET', '/v1/privacy-log/checkpoint', { role: 'auditor' });
    return status === 200 ? text : undefined;
  };
  const signedBeyond = async (size: number) => {
    const key = parseVerifierKey((await call('GET', '/v1/privacy-log/key', { role: 'auditor' })).text);
    let opened: ReturnType<typeof openCheckpoint> | undefined;
    await eventually('a checkpoint covers it', async () => {
      const note = await checkpoint();
      opened = note === undefined ? undefined : openCheckpoint(note, key);
      return opened !== undefined && opened.size > size;
    });
    return opened as ReturnType<typeof openCheckpoint>;
  };

  it('has an entry of every command, view, list, search, denial and refusal, and no value in it', async () => {
    const contactId = await register();
    const credited = await call('POST', `/v1/contacts/${contactId}/points/credits`, {
      body: { points: 5, reason: 'gift', note: 'Canary' },
      headers: { 'regulars-on-behalf-of': 'till-3', 'regulars-purpose': 'support' },
    });
    expect(await entryOf(requestIdOf(credited))).toMatchObject({
      action: 'contact.command',
      command: 'CreditPoints',
      outcome: 'allowed',
      onBehalfOf: 'till-3',
      purpose: 'support',
      subjects: [contactId],
      subjectCount: 1,
      network: '127.0.0.0/24',
      fields: expect.arrayContaining(['points', 'note', 'reason']),
      eventId: expect.any(String),
    });
    const position = credited.body['position'] as string;
    const view = await call('GET', `/v1/contacts/${contactId}?minPosition=${position}`, { role: 'operator' });
    expect(view.body).toMatchObject({ profile: { firstName: 'Canary' } });
    expect(await entryOf(requestIdOf(view))).toMatchObject({
      action: 'contact.view',
      actor: { id: keys['operator']?.id, role: 'operator', method: 'api-key' },
      subjects: [contactId],
      fields: expect.arrayContaining(['profile.firstName', 'balances']),
      network: '127.0.0.0/24',
    });
    const search = await call('POST', '/v1/contacts/search', { body: { q: 'canary' }, role: 'operator' });
    expect(await entryOf(requestIdOf(search))).toMatchObject({
      action: 'contact.search',
      subjects: expect.arrayContaining([contactId]),
      rows: 1,
      query: expect.stringMatching(/^[\w-]{22}$/),
      subjectsHash: expect.any(String),
    });
    const denied = await call('GET', `/v1/contacts/${contactId}`, { role: 'analyst' });
    expect(await entryOf(requestIdOf(denied))).toMatchObject({ outcome: 'denied', subjects: [contactId] });
    const refused = await call('POST', `/v1/contacts/${contactId}/points/debits`, {
      body: { points: 500, reason: 'fee' },
    });
    expect([refused.status, await entryOf(requestIdOf(refused))]).toMatchObject([
      409,
      { outcome: 'failed', command: 'DebitPoints', subjects: [contactId] },
    ]);
    const again = await call('POST', '/v1/contacts', { body: { profile: {}, contactId } });
    expect([again.status, await entryOf(requestIdOf(again))]).toMatchObject([
      409,
      { outcome: 'failed', command: 'RegisterContact', subjects: [contactId] },
    ]);
    const held = await call('GET', `/v1/contacts/${contactId}/subject-access`, { role: 'operator' });
    expect(held.text).toContain('Canary');
    expect(await entryOf(requestIdOf(held))).toMatchObject({
      action: 'contact.export',
      subjects: [contactId],
      fields: expect.arrayContaining(['data', 'data.profile', 'data.note', 'data.invoiceNumber']),
      network: '127.0.0.0/24',
    });
    const live = await ask('GET', '/v1/activity/live', { role: 'operator' });
    await live.body?.cancel();
    expect(await entryOf(requestIdOf(live))).toMatchObject({
      action: 'activity.view',
      fields: expect.arrayContaining(['type', 'actor', 'data']),
      network: '127.0.0.0/24',
    });
    for (const one of [denied, search])
      expect(await entryOf(requestIdOf(one))).toMatchObject({ network: '127.0.0.0/24' });
    const read = await call('GET', `/v1/contacts/${contactId}/privacy-log`, { role: 'operator' });
    expect((read.body['items'] as Entry[]).length).toBeGreaterThanOrEqual(5);
    expect(await entryOf(requestIdOf(read))).toMatchObject({ action: 'log.read', subjects: [contactId] });
    expect(read.text).not.toMatch(/canary/i);
  });

  it('finds entries by contact, actor, action, outcome and time, page by page', async () => {
    const contactId = await register();
    const viewed = Array.from({ length: 7 }, () =>
      call('GET', `/v1/contacts/${contactId}`, { role: 'operator' }),
    );
    await Promise.all(viewed);
    const query = `contactId=${contactId}&actor=${keys['operator']?.id}&action=contact.view&outcome=allowed`;
    await eventually('all are there', async () => (await list(query)).length === 7);
    const whole = (await list(query)).map(({ index }) => index);
    expect(whole).toEqual([...whole].sort((a, b) => b - a));
    const paged: number[] = [];
    let cursor: string | null = null;
    do {
      const page: Body = (
        await call('GET', `/v1/privacy-log?limit=3&${query}${cursor ? `&cursor=${cursor}` : ''}`, {
          role: 'auditor',
        })
      ).body;
      paged.push(...(page['items'] as Entry[]).map(({ index }) => index));
      cursor = page['nextCursor'] as string | null;
    } while (cursor !== null);
    expect(paged).toEqual(whole);
    const [newest] = await list(query);
    const at = String(newest?.['at']);
    expect((await list(`${query}&from=${at}`)).map(({ index }) => index)).toContain(newest?.index);
    expect(await list(`${query}&from=2999-01-01T00:00:00Z`)).toEqual([]);
    expect(await list(`${query}&to=2000-01-01T00:00:00Z`)).toEqual([]);
    expect(await list(query.replace('allowed', 'denied'))).toEqual([]);
  });

  it('has an entry of every route: of each that is denied, and of each that shows something', async () => {
    const contactId = await register();
    const reward = { title: 'Tea', price: { pool: 'main', points: 1 }, redemptionType: 'code' };
    const { rewardId, position } = (await call('POST', '/v1/rewards', { body: reward })).body;
    const { paths } = (await call('GET', '/openapi.json')).body as {
      paths: Record<
        string,
        Record<
          string,
          { parameters: { name: string; in: string; required?: boolean; schema?: { format?: string } }[] }
        >
      >;
    };
    const values: Record<string, string> = {
      contactId,
      rewardId: String(rewardId),
      keyId: keys['analyst']?.id ?? '',
      index: '0',
      from: '1',
    };
    const times: Record<string, string> = { from: '2026-01-01T00:00:00Z', to: '2026-01-03T00:00:00Z' };
    const routes = Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, { parameters }]) => {
        const query = parameters.filter(
          (parameter) => parameter.in === 'query' && parameter.required === true,
        );
        const filled = path.replace(/{(\w+)}/g, (_, name: string) => values[name] ?? UNKNOWN);
        const asked = query
          .map(({ name, schema }) => `${name}=${(schema?.format === 'date-time' ? times : values)[name]}`)
          .join('&');
        return {
          method: method.toUpperCase(),
          route: path,
          url: asked === '' ? filled : `${filled}?${asked}`,
        };
      }),
    );
    expect(routes.length).toBeGreaterThan(30);
    const expected = new Map<string, readonly [string, string]>();
    const note = async (method: string, route: string, url: string, role: string, outcome: string) => {
      const response = await ask(method, url, { role, ...(route.endsWith('/search') && { body: {} }) });
      expected.set(requestIdOf(response), [`${method} ${route} ${response.status}`, outcome]);
      await response.body?.cancel();
      return response.status;
    };
    await call('GET', `/v1/rewards/${String(rewardId)}?minPosition=${String(position)}`);
    for (const { method, route, url } of routes) {
      // What an analyst may see so far tells of no person, or not who it is.
      if (!/\/(inventory|segments\/preview)$/.test(route))
        expect([route, await note(method, route, url, 'analyst', 'denied')]).toEqual([route, 403]);
      const shows = method === 'GET' || route.endsWith('/search');
      // Parts of the tree, what they are verified with, and what is the same in every installation.
      const tellsOfNobody = /\/privacy-log\/(tile|keys?$|checkpoint$)|\/inventory$/.test(route);
      if (!shows || tellsOfNobody) continue;
      const status = await note(method, route, url, 'admin', 'shown');
      expect([method, route, [200, 404].includes(status) ? 'answered' : status]).toEqual([
        method,
        route,
        'answered',
      ]);
    }
    const found = new Map<string, string>();
    await eventually('all are there', async () => {
      for (const { correlationId, outcome } of await list('')) found.set(correlationId, outcome);
      return [...expected.keys()].every((id) => found.has(id));
    }).catch(() => undefined);
    const missing = [...expected].filter(([id, [, outcome]]) =>
      outcome === 'denied'
        ? found.get(id) !== 'denied'
        : !['allowed', 'failed'].includes(found.get(id) ?? ''),
    );
    expect(missing.map(([, [route]]) => route)).toEqual([]);
  });

  it('says when each key was last used', async () => {
    await call('GET', `/v1/contacts/${await register()}`, { role: 'operator' });
    await eventually('the list of keys says so', async () => {
      const { items } = (await call('GET', '/v1/api-keys')).body as {
        items: { name: string; lastUsedAt: string | null }[];
      };
      const used = items.find(({ name }) => name === 'operator')?.lastUsedAt ?? null;
      return used !== null && Math.abs(Date.parse(used) - Date.now()) < 60_000;
    });
  });

  it('answers for a contact that nobody knows as for nobody', async () =>
    expect((await call('GET', `/v1/contacts/${UNKNOWN}/privacy-log`, { role: 'operator' })).status).toBe(
      404,
    ));

  it('answers for a contact that was registered a moment ago, to whoever waits for it', async () => {
    await projector.close();
    const { contactId, position } = (await call('POST', '/v1/contacts', { body: { profile: {} } })).body;
    const path = `/v1/contacts/${String(contactId)}/privacy-log?minPosition=${String(position)}`;
    const answered = call('GET', path, { role: 'operator' });
    projector = await startProjecting();
    expect((await answered).status).toBe(200);
  });

  it('proves that entries are in what was signed, and that later trees continue earlier ones', async () => {
    const contactId = await register();
    const view = await call('GET', `/v1/contacts/${contactId}`);
    const entry = await entryOf(requestIdOf(view));
    const signed = await signedBeyond(entry.index);
    const inclusion = (
      await call('GET', `/v1/privacy-log/proofs/inclusion?index=${entry.index}&size=${signed.size}`, {
        role: 'auditor',
      })
    ).body as { leafHash: string; hashes: string[]; rootHash: string };
    const decoded = (text: string) => Buffer.from(text, 'base64');
    expect(inclusion.rootHash).toBe(signed.root.toString('base64'));
    expect(leafHash(leafBytes(entry)).toString('base64')).toBe(inclusion.leafHash);
    expect(
      verifyInclusion({
        index: entry.index,
        size: signed.size,
        leafHash: decoded(inclusion.leafHash),
        root: signed.root,
        proof: inclusion.hashes.map(decoded),
      }),
    ).toBe(true);
    const from = Math.max(1, signed.size - 3);
    const consistency = (
      await call('GET', `/v1/privacy-log/proofs/consistency?from=${from}&to=${signed.size}`, {
        role: 'auditor',
      })
    ).body as { hashes: string[]; fromRoot: string; toRoot: string };
    expect(
      verifyConsistency({
        from,
        to: signed.size,
        fromRoot: decoded(consistency.fromRoot),
        toRoot: signed.root,
        proof: consistency.hashes.map(decoded),
      }),
    ).toBe(true);
    expect(
      (await call('GET', `/v1/privacy-log/proofs/inclusion?index=5&size=9999999`, { role: 'auditor' }))
        .status,
    ).toBe(422);
    expect(readFileSync(join(directory, 'witness'), 'utf8')).toContain(
      `\n${signed.root.toString('base64')}\n`,
    );
  });

  it('describes its answers as they are', async () => {
    const document = (await call('GET', '/openapi.json')).body as unknown as Description;
    const log = '/v1/privacy-log';
    const contactId = await register();
    await entryOf(requestIdOf(await call('GET', `/v1/contacts/${contactId}/activity`)));
    await signedBeyond(2);
    for (const [path, asked] of [
      [log, `${log}?limit=500`],
      [`${log}/proofs/inclusion`, `${log}/proofs/inclusion?index=1&size=2`],
      [`${log}/proofs/consistency`, `${log}/proofs/consistency?from=1&to=2`],
      ['/v1/contacts/{contactId}/privacy-log', `/v1/contacts/${contactId}/privacy-log`],
      ['/v1/personal-data/inventory', '/v1/personal-data/inventory'],
    ] as const) {
      const { status, body } = await call('GET', asked);
      expect([path, undescribed(document, ['get', path, status], body)]).toEqual([path, []]);
    }
    const kindOf = (path: string) =>
      (document.paths[path]?.['get']?.responses as Record<string, object> | undefined)?.['200'];
    for (const path of ['key', 'keys', 'checkpoint'])
      expect(kindOf(`${log}/${path}`)).toEqual({ $ref: '#/components/responses/Text' });
    const missing = document.paths[`${log}/checkpoint`]?.['get']?.responses as Record<string, object>;
    expect(missing['404']).toEqual({ $ref: '#/components/responses/Problem' });
    expect(kindOf(`${log}/tile/{path}`)).toEqual({ $ref: '#/components/responses/Bytes' });
  });

  it('serves tiles that agree with the entries, to be kept where they are full, without entries of their own', async () => {
    const contactId = await register();
    await Promise.all(
      Array.from({ length: 280 }, (_, n) => call('GET', `/v1/contacts/${contactId}`, { api: n % 2 })),
    );
    const { size } = await signedBeyond(300);
    const before = (await list('action=log.read&outcome=allowed')).length;
    const entries = new Map((await list('')).map((entry) => [entry.index, entry]));
    const full = await bytesOf(`/v1/privacy-log/${tilePath({ level: 0, index: 0, width: TILE_WIDTH })}`);
    expect(full.response.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
    expect(full.response.headers.get('content-type')).toBe('application/octet-stream');
    const hashes = parseTile(full.bytes, TILE_WIDTH);
    const width = Math.min(size - TILE_WIDTH, TILE_WIDTH);
    const part = await bytesOf(`/v1/privacy-log/${tilePath({ level: 0, index: 1, width })}`);
    expect(parseTile(part.bytes, width)).toHaveLength(width);
    const bundle = await bytesOf(
      `/v1/privacy-log/${tilePath({ level: 'entries', index: 0, width: TILE_WIDTH })}`,
    );
    parseEntryBundle(bundle.bytes, TILE_WIDTH).forEach((leaf, index) => {
      expect(leafHash(leaf)).toEqual(hashes[index]);
      const shown = entries.get(index);
      if (shown) expect(leafBytes(shown)).toEqual(leaf);
    });
    const level1 = await bytesOf(`/v1/privacy-log/${tilePath({ level: 1, index: 0, width: 1 })}`);
    expect(level1.bytes).toHaveLength(32);
    for (const path of ['tile/0/999', 'tile/0/x', 'tile/1/000', 'tile/0/000.p/256'])
      expect((await bytesOf(`/v1/privacy-log/${path}`)).response.status).toBe(404);
    expect((await call('GET', '/v1/privacy-log/tile/0/000', { role: 'operator' })).status).toBe(403);
    expect((await list('action=log.read&outcome=allowed')).length - before).toBeLessThanOrEqual(3);
  });

  it('goes on where it was after the projector was started again, also from an empty read database', async () => {
    const contactId = await register();
    const entry = await entryOf(requestIdOf(await call('GET', `/v1/contacts/${contactId}`)));
    const before = await signedBeyond(entry.index);
    await projector.close();
    await call('GET', `/v1/contacts/${contactId}`);
    const { db, close } = await openReadDatabase({
      url: stores.servers.mongodbUrl,
      dbName: config().mongodbName,
    });
    await db.dropDatabase();
    await close();
    projector = await startProjecting();
    const after = await signedBeyond(before.size);
    const proof = (
      await call('GET', `/v1/privacy-log/proofs/consistency?from=${before.size}&to=${after.size}`, {
        role: 'auditor',
      })
    ).body;
    expect(proof).toMatchObject({
      fromRoot: before.root.toString('base64'),
      toRoot: after.root.toString('base64'),
    });
  });

  it('signs with the next key after a rotation, and tells of both', async () => {
    const first = (await call('GET', '/v1/privacy-log/key', { role: 'auditor' })).text;
    const signed = await signedBeyond(1);
    const rotation = await call('POST', '/v1/privacy-log/key/rotation');
    const document = (await call('GET', '/openapi.json')).body as unknown as Description;
    expect(
      undescribed(document, ['post', '/v1/privacy-log/key/rotation', rotation.status], rotation.body),
    ).toEqual([]);
    expect([rotation.status, rotation.body]).toMatchObject([
      201,
      { keyNumber: 2, publicKey: expect.any(String) },
    ]);
    expect(await entryOf(requestIdOf(rotation))).toMatchObject({
      action: 'access.change',
      command: 'RotateSigningKey',
    });
    const second = (await call('GET', '/v1/privacy-log/key', { role: 'auditor' })).text;
    expect(second).not.toBe(first);
    const all = (await call('GET', '/v1/privacy-log/keys', { role: 'auditor' })).text.split('\n');
    expect([all[0], all[1]?.split(' ')[0]]).toEqual([second, first]);
    await register();
    const next = await signedByNow(second, signed.size);
    expect(next.size).toBeGreaterThan(signed.size);
  });

  const signedByNow = async (keyText: string, size: number) => {
    let opened: ReturnType<typeof openCheckpoint> | undefined;
    await eventually('the new key has signed', async () => {
      try {
        opened = openCheckpoint((await checkpoint()) ?? '', parseVerifierKey(keyText));
        return opened.size > size;
      } catch {
        return false;
      }
    });
    return opened as ReturnType<typeof openCheckpoint>;
  };
});
