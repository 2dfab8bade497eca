import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, loadConfig } from '@app/config';
import { askedAgain, eventually } from '@app/testing';
import { startStandalone, type RunningStandalone } from './start-standalone';

type Body = Record<string, unknown> & {
  errors?: { pointer: string; code: string }[];
  items?: Record<string, unknown>[];
};
type Answer = Readonly<{ status: number; body: Body; headers: Headers }>;

const WOMEN = { attr: 'profile.gender', op: 'eq', value: 'female' };
const MEN = { attr: 'profile.gender', op: 'eq', value: 'male' };
const NOBODY = randomUUID();

describe('segments, over HTTP', () => {
  let directory: string;
  let standalone: RunningStandalone;
  const keys: Record<string, string> = {};

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'regulars-segments-'));
    const config = loadConfig(
      { REGULARS_DATA_DIR: join(directory, 'data'), PORT: '0', LOG_LEVEL: 'silent' },
      directory,
    );
    standalone = await startStandalone(config, createLogger('standalone', 'silent'));
    keys['admin'] = (standalone.api.adminKey as { key: string }).key;
    for (const role of ['operator', 'auditor', 'analyst']) {
      const { body } = await call('POST', '/v1/api-keys', { name: role, role }, { role: 'admin' });
      keys[role] = body['key'] as string;
    }
  });

  afterAll(async () => {
    await standalone?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  type Options = { role?: string; headers?: Record<string, string> };
  const call = (method: string, path: string, body?: object, options: Options = {}): Promise<Answer> =>
    askedAgain(() => ask(method, path, body, options));
  const ask = async (
    method: string,
    path: string,
    body: object | undefined,
    { role = 'operator', headers = {} }: Options,
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
    return { status: response.status, body: (await response.json()) as Body, headers: response.headers };
  };

  const register = async (profile: object = {}): Promise<string> => {
    const { status, body } = await call('POST', '/v1/contacts', { profile });
    expect(status).toBe(201);
    return body['contactId'] as string;
  };
  const define = async (fields: object): Promise<Readonly<{ id: string; position: string }>> => {
    const { status, body } = await call('POST', '/v1/segments', { name: 'Some', ...fields });
    expect([status, body['errors']]).toEqual([201, undefined]);
    return { id: body['segmentId'] as string, position: body['position'] as string };
  };
  const get = (id: string, position: unknown): Promise<Answer> =>
    call('GET', `/v1/segments/${id}?minPosition=${String(position)}`);
  /** What was refused, and where. */
  const refused = ({ status, body }: Answer): unknown[] => [
    status,
    body['code'],
    ...(body.errors ?? []).map(({ pointer }) => pointer),
  ];
  const refusal = async (fields: object): Promise<unknown[]> =>
    refused(await call('POST', '/v1/segments', { name: 'Some', ...fields }));

  describe('a definition', () => {
    it('is shown as it was made, once it is filled', async () => {
      await register({ gender: 'female' });
      const answer = await call('POST', '/v1/segments', {
        name: 'Women',
        description: 'All of them',
        rule: WOMEN,
      });
      expect(answer.status).toBe(201);
      const segmentId = answer.body['segmentId'];
      expect(answer.body).toEqual({
        segmentId: expect.any(String),
        version: 1,
        revision: 0,
        position: expect.stringMatching(/^\d+$/),
      });
      expect(answer.headers.get('location')).toBe(`/v1/segments/${String(segmentId)}`);
      const shown = await get(String(segmentId), answer.body['position']);
      expect([shown.status, shown.body]).toEqual([
        200,
        {
          segmentId,
          name: 'Women',
          description: 'All of them',
          rule: { dsl: 1, tz: 'UTC', weekStart: 'MO', root: WOMEN },
          version: 1,
          status: 'active',
          ruleHash: expect.stringMatching(/^[0-9a-f]{64}$/),
          memberCount: 1,
          lint: [],
          createdAt: expect.any(String),
          updatedAt: expect.any(String),
          asOfPosition: expect.stringMatching(/^\d+$/),
        },
      ]);
    });

    it('can be by hand', async () => {
      const contactId = await register();
      const { id } = await define({ manual: true });
      const { body } = await call('PUT', `/v1/contacts/${contactId}/segments/${id}`, { mode: 'include' });
      expect(body).toMatchObject({ segmentId: id, mode: 'include', revision: 1 });
      expect((await get(id, body['position'])).body).toMatchObject({
        rule: null,
        ruleHash: null,
        status: 'active',
        memberCount: 1,
        lint: [],
      });
    });

    it('can be by a template, which it remembers', async () => {
      const templates = await call('GET', '/v1/segment-templates');
      expect(templates.body.items!.map(({ name }) => name)).toEqual([
        'newCustomers',
        'topCustomers',
        'birthdayToday',
        'birthdayThisMonth',
        'birthdayNext',
        'inactive',
        'almostAtReward',
        'redeemedReward',
        'byLanguage',
        'byGender',
        'byAgeBand',
        'reachable',
      ]);
      for (const item of templates.body.items!) {
        expect(item).toEqual({
          name: item['name'],
          description: expect.any(String),
          params: expect.any(Object),
        });
      }
      const price = { pool: 'main', points: 100 };
      const reward = await call('POST', '/v1/rewards', { title: 'Coffee', price, redemptionType: 'code' });
      const rewardId = reward.body['rewardId'];
      // It may be named at once, however far the read models are.
      const template = 'almostAtReward';
      const { id, position } = await define({ template, params: { rewardId, within: 10 } });
      expect((await get(id, position)).body).toMatchObject({
        template: { name: template, params: { rewardId, within: 10 } },
        rule: { root: { metric: 'points.balance', pool: 'main', op: 'between', value: [90, 99] } },
      });
      const inactive = await define({ template: 'inactive' });
      expect((await get(inactive.id, inactive.position)).body).toMatchObject({
        rule: { root: { since: 'lastActivity', value: 'P90D' } },
      });
    });

    it('shows what the linter warns of', async () => {
      const { id, position } = await define({
        rule: { event: 'CheckedIn', window: { last: 'PT30M' } },
      });
      const { lint } = (await get(id, position)).body as unknown as { lint: object[] };
      expect(lint).toContainEqual({
        level: 'warning',
        pointer: expect.stringMatching(/^\/root/),
        code: 'rules.short-window',
        detail: expect.any(String),
      });
    });

    it('is listed with the others, oldest first', async () => {
      const made = [
        await define({ rule: MEN }),
        await define({ rule: WOMEN }),
        await define({ rule: WOMEN }),
      ];
      const at = `minPosition=${made.at(-1)!.position}`;
      const all = (await call('GET', `/v1/segments?${at}&limit=500&count=true`)).body;
      const ids = all.items!.map(({ segmentId }) => segmentId);
      expect(ids.slice(-3)).toEqual(made.map(({ id }) => id));
      expect(all).toMatchObject({ total: ids.length, nextCursor: null, asOfPosition: expect.any(String) });
      for (const item of all.items!)
        expect(item).toMatchObject({ status: 'active', asOfPosition: expect.any(String) });
      const paged: unknown[] = [];
      let cursor = '';
      for (let page = 0; page < 50; page += 1) {
        const { body } = await call('GET', `/v1/segments?limit=2${cursor}`);
        paged.push(...body.items!.map(({ segmentId }) => segmentId));
        if (body['nextCursor'] === null) break;
        cursor = `&cursor=${encodeURIComponent(String(body['nextCursor']))}`;
      }
      expect(paged).toEqual(ids);
    });

    it('is made once for one Idempotency-Key', async () => {
      const headers = { 'idempotency-key': randomUUID() };
      const body = { name: 'Once', rule: WOMEN };
      const first = await call('POST', '/v1/segments', body, { headers });
      const again = await call('POST', '/v1/segments', body, { headers });
      expect([again.status, again.body]).toEqual([201, first.body]);
      expect(again.headers.get('idempotency-replayed')).toBe('true');
      expect((await call('POST', '/v1/segments', { ...body, rule: MEN }, { headers })).status).toBe(422);
    });
  });

  describe('bad input', () => {
    const where = (rule: unknown) => refusal({ rule });

    it('is refused with a pointer to it, from the body that was sent', async () => {
      const unknown = { attr: 'profile.shoeSize', op: 'eq', value: 'x' };
      expect(await where(unknown)).toEqual([422, 'rules.unknown-attribute', '/rule/attr']);
      expect(await where({ dsl: 1, root: unknown })).toEqual([
        422,
        'rules.unknown-attribute',
        '/rule/root/attr',
      ]);
      expect(await where({ all: [] })).toEqual([422, 'rules.empty', '/rule/all']);
      expect(await where({ dsl: 1, root: { any: [] } })).toEqual([422, 'rules.empty', '/rule/root/any']);
      expect(await where({ attr: 'profile.gender', op: 'in', value: [] })).toEqual([
        422,
        'rules.empty',
        '/rule/value',
      ]);
      expect(await where({ ...WOMEN, extra: 1 })).toEqual([422, 'rules.unknown-field', '/rule/extra']);
      expect(await where({ ...WOMEN, op: 'matches' })).toEqual([422, 'rules.unknown-operator', '/rule/op']);
      expect(await where({ dsl: 2, root: WOMEN })).toEqual([422, 'rules.version', '/rule/dsl']);
      expect(await where('female')).toEqual([422, 'invalid-input', '/rule']);
      expect(await where({})).toEqual([422, 'rules.unknown-node', '/rule']);
    });

    it('is refused beyond the limits', async () => {
      const ids = Array.from({ length: 1_001 }, (_, n) => `c${n}`);
      const oneOf = (value: readonly string[]) => ({ attr: 'profile.address.city', op: 'in', value });
      expect(await where(oneOf(ids))).toEqual([422, expect.stringMatching(/^rules\./), '/rule/value']);
      await define({ rule: oneOf(ids.slice(1)) });
      const nested = (depth: number): object => (depth === 1 ? WOMEN : { not: nested(depth - 1) });
      expect(await where(nested(9))).toEqual([422, 'rules.too-deep', `/rule${'/not'.repeat(8)}`]);
      await define({ rule: nested(8) });
      const leaves = Array.from({ length: 65 }, (_, n) => ({ attr: 'source', op: 'neq', value: `s${n}` }));
      expect(await where({ all: leaves })).toEqual([422, 'rules.too-many-leaves', '/rule/all/64']);
      expect(await where(oneOf(['x'.repeat(321)]))).toEqual([
        422,
        expect.stringMatching(/^rules\./),
        '/rule/value/0',
      ]);
      const large = { all: Array.from({ length: 40_000 }, () => WOMEN) };
      expect((await call('POST', '/v1/segments', { name: 'Large', rule: large })).status).toBe(413);
    });

    it('is refused where the linter is sure that it is not meant', async () => {
      const nobody = { all: [WOMEN, MEN] };
      const everybody = {
        any: [
          { ...WOMEN, op: 'neq' },
          { ...MEN, op: 'neq' },
        ],
      };
      for (const rule of [nobody, everybody]) {
        const [status, code, pointer] = await where(rule);
        expect([status, code]).toEqual([422, expect.stringMatching(/^rules\./)]);
        expect(pointer).toMatch(/^\/rule(?!\/root)/);
        const [, sameCode, inRoot] = await where({ dsl: 1, root: rule });
        expect([sameCode, inRoot]).toEqual([code, String(pointer).replace('/rule', '/rule/root')]);
      }
    });

    it('means nothing to the store, whatever it looks like', async () => {
      const contactId = await register({ firstName: '$gt', address: { city: '{"$where": "1"}' } });
      const hostile = ['$gt', '{"$where": "1"}', '__proto__', 'constructor', "'; drop", '\u{1f600}', '.*'];
      const rule = { attr: 'profile.firstName', op: 'in', value: hostile };
      const { id, position } = await define({ name: '<script>$ne', rule });
      expect((await get(id, position)).body).toMatchObject({ memberCount: 1, name: '<script>$ne' });
      await call('DELETE', `/v1/contacts/${contactId}`);
      for (const bad of [
        { $where: '1' },
        { attr: { $gt: '' }, op: 'eq', value: 'x' },
        { attr: 'profile.firstName', op: 'eq', value: { $gt: '' } },
        { attr: '__proto__', op: 'eq', value: 'x' },
        { attr: 'profile.customFields.$where', op: 'eq', value: 'x' },
      ]) {
        expect(((await where(bad)) as unknown[])[0]).toBe(422);
      }
      const raw = '{"name":"P","rule":{"__proto__":{"everyone":true}}}';
      const response = await fetch(`${standalone.api.url}/v1/segments`, {
        method: 'POST',
        headers: { authorization: `Bearer ${keys['admin']}`, 'content-type': 'application/json' },
        body: raw,
      });
      expect([400, 422]).toContain(response.status);
    });

    it('is refused around the rule', async () => {
      expect(await refusal({})).toEqual([422, 'invalid-input', '']);
      expect(await refusal({ rule: WOMEN, manual: true })).toEqual([422, 'invalid-input', '']);
      expect(await refusal({ manual: false })).toEqual([422, 'invalid-input', '/manual']);
      expect(await refusal({ rule: WOMEN, params: {} })).toEqual([422, 'invalid-input', '/params']);
      expect(await refusal({ rule: WOMEN, segmentId: randomUUID() })).toEqual([
        422,
        'invalid-input',
        '/segmentId',
      ]);
      expect(await refusal({ name: '', rule: WOMEN })).toEqual([422, 'invalid-input', '/name']);
      expect(await refusal({ template: 'nope' })).toEqual([422, 'rules.unknown-template', '/template']);
      expect(await refusal({ template: 'inactive', params: { days: 0 } })).toEqual([
        422,
        'rules.out-of-range',
        '/params/days',
      ]);
      expect(await refusal({ template: 'inactive', params: { weeks: 1 } })).toEqual([
        422,
        'rules.unknown-field',
        '/params',
      ]);
      expect(await refusal({ template: 'almostAtReward', params: { rewardId: NOBODY } })).toEqual([
        422,
        'rules.unknown-reward',
        '/params/rewardId',
      ]);
    });
  });

  describe('references', () => {
    const inside = (...ids: string[]) => ({ any: [WOMEN, ...ids.map((segment) => ({ segment, op: 'in' }))] });

    it('have to lead somewhere, without a cycle, five deep at most', async () => {
      expect(await refusal({ rule: { segment: NOBODY, op: 'in' } })).toEqual([
        422,
        'segments.unknown-reference',
        '/rule',
      ]);
      const chain = [(await define({ rule: MEN })).id];
      for (let depth = 1; depth <= 5; depth += 1)
        chain.push((await define({ rule: inside(chain.at(-1)!) })).id);
      expect(await refusal({ rule: inside(chain.at(-1)!) })).toEqual([
        422,
        'segments.references-too-deep',
        '/rule',
      ]);
      const [first, second] = chain as [string, string];
      for (const rule of [inside(first), inside(second), inside(chain.at(-1)!)]) {
        expect(refused(await call('PATCH', `/v1/segments/${first}`, { rule }))).toEqual([
          422,
          'segments.cyclic-reference',
          '/rule',
        ]);
      }
      // Refused, they leave nothing behind.
      expect((await call('PATCH', `/v1/segments/${first}`, { rule: WOMEN })).body).toMatchObject({
        version: 2,
      });
      await call('DELETE', `/v1/segments/${first}`);
      expect((await refusal({ rule: { segment: first, op: 'in' } }))[1]).toBe('segments.unknown-reference');
    });

    it('cannot make a cycle together', async () => {
      for (let round = 0; round < 5; round += 1) {
        const [a, b] = [(await define({ rule: MEN })).id, (await define({ rule: MEN })).id] as const;
        const answers = await Promise.all([
          call('PATCH', `/v1/segments/${a}`, { rule: inside(b) }),
          call('PATCH', `/v1/segments/${b}`, { rule: inside(a) }),
        ]);
        expect(answers.map(({ status }) => status).sort()).toEqual([200, 422]);
        const refusedOne = answers[0].status === 422 ? a : b;
        // It was not let in, so it is free for another rule.
        expect((await call('PATCH', `/v1/segments/${refusedOne}`, { rule: WOMEN })).status).toBe(200);
      }
    });
  });

  describe('a change', () => {
    it('makes a new version of another rule only, and fills it', async () => {
      const { id } = await define({ rule: { attr: 'source', op: 'eq', value: 'nowhere' } });
      const same = await call('PATCH', `/v1/segments/${id}`, {
        name: 'Nowhere',
        rule: { dsl: 1, root: { value: 'nowhere', op: 'eq', attr: 'source' } },
      });
      expect(same.body).toMatchObject({ segmentId: id, version: 1, revision: 1 });
      await register({ gender: 'male' });
      const changed = await call('PATCH', `/v1/segments/${id}`, { rule: MEN });
      expect(changed.body).toMatchObject({ segmentId: id, version: 2, revision: 2 });
      const { body } = await get(id, changed.body['position']);
      expect(body).toMatchObject({ version: 2, status: 'active', name: 'Nowhere', rule: { root: MEN } });
      expect(body['memberCount']).toBeGreaterThan(0);
      expect(refused(await call('PATCH', `/v1/segments/${id}`, { rule: { all: [] } }))).toEqual([
        422,
        'rules.empty',
        '/rule/all',
      ]);
      expect(refused(await call('PATCH', `/v1/segments/${id}`, { rule: null as never }))[0]).toBe(422);
    });

    it('can be bound to a revision', async () => {
      const { id } = await define({ rule: MEN });
      const headers = { 'if-match': '"0"' };
      expect((await call('PATCH', `/v1/segments/${id}`, { rule: WOMEN }, { headers })).status).toBe(200);
      expect((await call('PATCH', `/v1/segments/${id}`, { rule: MEN }, { headers })).status).toBe(412);
      expect((await call('PATCH', `/v1/segments/${id}`, { name: 'Other' }, { headers })).status).toBe(412);
    });

    it('ends a membership when the segment is not active, and begins it again', async () => {
      const contactId = await register();
      const { id } = await define({ manual: true });
      await call('PUT', `/v1/contacts/${contactId}/segments/${id}`, { mode: 'include' });
      const off = await call('PATCH', `/v1/segments/${id}`, { active: false });
      await eventually('everybody has left', async () => {
        const { body } = await get(id, off.body['position']);
        return body['status'] === 'inactive' && body['memberCount'] === 0;
      });
      const on = await call('PATCH', `/v1/segments/${id}`, { active: true });
      expect((await get(id, on.body['position'])).body).toMatchObject({ status: 'active', memberCount: 1 });
      expect(refused(await call('PATCH', `/v1/segments/${id}`, { rule: MEN }))).toEqual([
        409,
        'segments.manual',
        '/rule',
      ]);
    });

    it('that deletes is for good', async () => {
      const { id } = await define({ rule: MEN });
      const gone = await call('DELETE', `/v1/segments/${id}`);
      expect([gone.status, gone.body]).toEqual([
        200,
        expect.objectContaining({ segmentId: id, revision: 1 }),
      ]);
      expect((await get(id, gone.body['position'])).status).toBe(404);
      expect((await call('DELETE', `/v1/segments/${id}`)).status).toBe(200);
      expect((await call('PATCH', `/v1/segments/${id}`, { active: true })).status).toBe(404);
      const { body } = await call(
        'GET',
        `/v1/segments?limit=500&minPosition=${String(gone.body['position'])}`,
      );
      expect(body.items!.map(({ segmentId }) => segmentId)).not.toContain(id);
    });

    it('needs a segment', async () => {
      for (const [method, path, body] of [
        ['GET', '', undefined],
        ['PATCH', '', { name: 'X' }],
        ['DELETE', '', undefined],
        ['POST', '/refresh', undefined],
      ] as const) {
        const answer = await call(method, `/v1/segments/${NOBODY}${path}`, body);
        expect(refused(answer)).toEqual([404, 'segments.not-found']);
      }
      expect((await call('GET', '/v1/segments/nonsense')).status).toBe(422);
    });
  });

  describe('a word by hand', () => {
    it('goes before the rule, exclude before include, until it expires or is taken back', async () => {
      const contactId = await register({ gender: 'female', language: 'sl' });
      const { id, position } = await define({ rule: { attr: 'profile.language', op: 'eq', value: 'sl' } });
      const countAt = async (answer: Answer) => (await get(id, answer.body['position'])).body['memberCount'];
      const path = `/v1/contacts/${contactId}/segments/${id}`;
      expect((await get(id, position)).body['memberCount']).toBe(1);
      const excluded = await call('PUT', path, { mode: 'exclude', reason: 'Staff' });
      expect([excluded.status, excluded.headers.get('etag')]).toEqual([200, '"1"']);
      expect(await countAt(excluded)).toBe(0);
      expect(await countAt(await call('PUT', path, { mode: 'include' }))).toBe(1);
      // Long enough for what is asked before, on a slow machine, too.
      const soon = new Date(Date.now() + 4_000).toISOString();
      const brief = await call('PUT', path, { mode: 'exclude', expiresAt: soon });
      expect(await countAt(brief)).toBe(0);
      await eventually('it has expired', async () => (await countAt(brief)) === 1);
      await call('PUT', path, { mode: 'exclude' });
      const back = await call('DELETE', path);
      expect([back.status, await countAt(back)]).toEqual([200, 1]);
      expect((await call('DELETE', path)).status).toBe(200);
    });

    it('is for a contact and a segment that there are', async () => {
      const contactId = await register();
      const { id } = await define({ manual: true });
      const put = (contact: string, segment: string, body: object = { mode: 'include' }) =>
        call('PUT', `/v1/contacts/${contact}/segments/${segment}`, body);
      expect(refused(await put(contactId, NOBODY))).toEqual([404, 'segments.not-found']);
      expect((await put(NOBODY, id)).status).toBe(404);
      expect((await put(contactId, id, { mode: 'maybe' })).status).toBe(422);
      expect((await put(contactId, id, { mode: 'include', expiresAt: '2020-01-01T00:00:00Z' })).status).toBe(
        422,
      );
      expect((await put(contactId, id, { mode: 'include', extra: 1 })).status).toBe(422);
      await call('DELETE', `/v1/segments/${id}`);
      expect(refused(await put(contactId, id))).toEqual([404, 'segments.not-found']);
      await call('DELETE', `/v1/contacts/${contactId}`);
      expect((await put(contactId, id)).status).toBe(410);
    });
  });

  describe('a ranking', () => {
    const earn = async (contactId: string, points: number, pool: string): Promise<Answer> => {
      const body = { points, pool, reason: 'gift' };
      return call('POST', `/v1/contacts/${contactId}/points/credits`, body);
    };

    it('lets in the first so many with all ties, says its cut-off, and is taken anew on demand', async () => {
      const pool = 'ranked';
      const contacts = [];
      for (const points of [50, 40, 40, 10]) {
        contacts.push(await register());
        await earn(contacts.at(-1)!, points, pool);
      }
      const objector = await register();
      await earn(objector, 1_000, pool);
      await call('PUT', `/v1/contacts/${objector}/profiling-objection`, {});
      const { id, position } = await define({ rule: { ranked: { by: 'points.balance', pool, top: 2 } } });
      const { body } = await get(id, position);
      expect(body).toMatchObject({
        status: 'active',
        memberCount: 3,
        cutOff: { value: 40, membersCount: 3 },
      });
      const { position: later } = (await earn(contacts[3]!, 35, pool)).body;
      expect((await get(id, later)).body).toMatchObject({ memberCount: 4, cutOff: { value: 40 } });
      const fresh = await call('POST', `/v1/segments/${id}/refresh?minPosition=${String(later)}`);
      expect(fresh.status).toBe(200);
      expect(fresh.body).toEqual({
        cutOff: 45,
        membersCount: 2,
        version: 1,
        revision: 2,
        position: expect.stringMatching(/^\d+$/),
      });
      await eventually('the others have left', async () => {
        const shown = (await get(id, fresh.body['position'])).body;
        return shown['memberCount'] === 2 && shown['status'] === 'active';
      });
    });

    it('that is changed lets nobody go who stays in', async () => {
      const pool = 'changing';
      const contacts: string[] = [];
      for (const points of [50, 40, 30]) {
        contacts.push(await register());
        await earn(contacts.at(-1)!, points, pool);
      }
      const first = (top: number) => ({ ranked: { by: 'points.balance', pool, top } });
      const { id, position } = await define({ rule: first(2) });
      expect((await get(id, position)).body).toMatchObject({ memberCount: 2 });
      const changed = await call('PATCH', `/v1/segments/${id}`, { rule: first(3) });
      expect((await get(id, changed.body['position'])).body).toMatchObject({ version: 2, memberCount: 3 });
      const back = await call('PATCH', `/v1/segments/${id}`, { rule: first(1) });
      expect((await get(id, back.body['position'])).body).toMatchObject({ version: 3, memberCount: 1 });
      let told: unknown[] = [];
      await eventually('all of it was announced', async () => {
        const { body } = await call('GET', `/v1/activity?segmentId=${id}`);
        told = body.items!.map(({ type, contactId }) => [type, contacts.indexOf(contactId as string)]);
        return told.length >= 3;
      });
      expect(told.sort()).toEqual([
        ['SegmentEntered', 2],
        ['SegmentLeft', 1],
        ['SegmentLeft', 2],
      ]);
    });

    it('lets in a share of all contacts', async () => {
      const { id, position } = await define({
        template: 'topCustomers',
        params: { by: 'spend', topPercent: 1, currency: 'JPY' },
      });
      const contactId = await register();
      const bought = await call('POST', `/v1/contacts/${contactId}/purchases`, {
        invoiceNumber: randomUUID(),
        amount: { minor: 500, currency: 'JPY' },
      });
      await get(id, position);
      const at = String(bought.body['position']);
      const { body } = await call('POST', `/v1/segments/${id}/refresh?minPosition=${at}`);
      expect(body).toMatchObject({ cutOff: 500, membersCount: 1 });
    });

    it('ranks by what has a window, too', async () => {
      const { id, position } = await define({
        rule: { ranked: { by: 'checkIns.count', window: { last: 'P30D' }, top: 1 } },
      });
      const contactId = await register();
      await call('POST', `/v1/contacts/${contactId}/check-ins`, {});
      const last = await call('POST', `/v1/contacts/${contactId}/check-ins`, {});
      await get(id, position);
      const at = String(last.body['position']);
      const { body } = await call('POST', `/v1/segments/${id}/refresh?minPosition=${at}`);
      expect(body).toMatchObject({ cutOff: 2, membersCount: 1 });
    });

    it('is of ranked segments that are active', async () => {
      const { id } = await define({ rule: MEN });
      expect(refused(await call('POST', `/v1/segments/${id}/refresh`))).toEqual([409, 'segments.not-ranked']);
      const ranked = await define({ rule: { ranked: { by: 'purchases.count', top: 1 } } });
      await call('PATCH', `/v1/segments/${ranked.id}`, { active: false });
      expect(refused(await call('POST', `/v1/segments/${ranked.id}/refresh`))).toEqual([
        409,
        'segments.inactive',
      ]);
    });
  });

  it('is for operators', async () => {
    const { id } = await define({ rule: MEN });
    const contact = `/v1/contacts/${NOBODY}/segments/${id}`;
    const routes = [
      ['POST', '/v1/segments', { name: 'X', manual: true }],
      ['PATCH', `/v1/segments/${id}`, {}],
      ['DELETE', `/v1/segments/${NOBODY}`, undefined],
      ['POST', `/v1/segments/${id}/refresh`, undefined],
      ['PUT', contact, { mode: 'include' }],
      ['DELETE', contact, undefined],
      ['GET', '/v1/segments', undefined],
      ['GET', `/v1/segments/${id}`, undefined],
      ['GET', '/v1/segment-templates', undefined],
    ] as const;
    for (const [method, path, body] of routes) {
      for (const role of ['operator', 'analyst', 'auditor', 'admin']) {
        const { status } = await call(method, path, body, { role });
        const allowed = ['operator', 'admin'].includes(role);
        expect([method, path, role, status !== 403]).toEqual([method, path, role, allowed]);
      }
    }
  });
});
