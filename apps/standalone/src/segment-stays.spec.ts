import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, loadConfig } from '@app/config';
import { askedAgain, eventually } from '@app/testing';
import { startStandalone, type RunningStandalone } from './start-standalone';

type Item = Record<string, unknown> & {
  membership?: Record<string, unknown>;
  cause?: Record<string, unknown>;
};
type Body = Record<string, unknown> & { errors?: { pointer: string; code: string }[]; items?: Item[] };
type Answer = Readonly<{ status: number; body: Body; headers: Headers }>;

const WOMEN = { attr: 'profile.gender', op: 'eq', value: 'female' };
const NOBODY = randomUUID();

describe('who is in segments, and who was, over HTTP', () => {
  let directory: string;
  let standalone: RunningStandalone;
  const keys: Record<string, string> = {};

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'regulars-stays-'));
    const config = loadConfig(
      { REGULARS_DATA_DIR: join(directory, 'data'), PORT: '0', LOG_LEVEL: 'silent' },
      directory,
    );
    standalone = await startStandalone(config, createLogger('standalone', 'silent'));
    keys['admin'] = (standalone.api.adminKey as { key: string }).key;
    for (const role of ['operator', 'auditor', 'analyst']) {
      const { body } = await call('POST', '/v1/api-keys', { name: role, role }, 'admin');
      keys[role] = body['key'] as string;
    }
  });

  afterAll(async () => {
    await standalone?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const call = (
    method: string,
    path: string,
    body?: object,
    role = 'operator',
    headers: Record<string, string> = {},
  ): Promise<Answer> => askedAgain(() => ask(method, path, body, role, headers));
  const ask = async (
    method: string,
    path: string,
    body: object | undefined,
    role: string,
    headers: Record<string, string>,
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
  const get = (path: string, role?: string) => call('GET', `/v1/${path}`, undefined, role);
  const register = async (profile: object): Promise<string> => {
    const { body } = await call('POST', '/v1/contacts', { profile });
    return body['contactId'] as string;
  };
  const patch = async (contactId: string, profile: object): Promise<string> => {
    const { body } = await call('PATCH', `/v1/contacts/${contactId}`, { profile });
    return body['position'] as string;
  };
  const define = async (fields: object): Promise<Readonly<{ id: string; position: string }>> => {
    const { status, body } = await call('POST', '/v1/segments', { name: 'Some', ...fields });
    expect([status, body['errors']]).toEqual([201, undefined]);
    return { id: body['segmentId'] as string, position: body['position'] as string };
  };
  const ids = ({ body }: Answer) => (body.items ?? []).map(({ contactId }) => contactId);
  const refused = ({ status, body }: Answer): unknown[] => [
    status,
    body['code'],
    ...(body.errors ?? []).map(({ pointer }) => pointer),
  ];

  it('are told now and as of any time, from the first fill on', async () => {
    const [anna, bert] = [
      await register({ gender: 'female', firstName: 'Anna' }),
      await register({ gender: 'male' }),
    ];
    const { id, position } = await define({ rule: WOMEN });
    const first = await get(`segments/${id}/members?minPosition=${position}&limit=500`);
    expect(first.status).toBe(200);
    expect(first.body.items?.find(({ contactId }) => contactId === anna)).toMatchObject({
      membership: {
        segmentId: id,
        version: 1,
        to: null,
        causeIn: { kind: 'initial', position },
        causeOut: null,
      },
      contact: { contactId: anna, firstName: 'Anna' },
    });
    expect(ids(first)).not.toContain(bert);
    const count = async (query: string) => (await get(`segments/${id}/count?${query}`)).body;
    const before = await count(`minPosition=${position}`);
    expect(before).toMatchObject({ count: first.body.items?.length, version: 1 });

    const entered = await patch(bert, { gender: 'female' });
    const left = await patch(anna, { gender: 'male' });
    expect(ids(await get(`segments/${id}/members?minPosition=${left}&limit=500`))).toEqual(
      expect.arrayContaining([bert]),
    );
    const now = await count(`minPosition=${left}`);
    expect(now['count']).toBe(before['count']);
    expect(await count(`asOfPosition=${entered}`)).toMatchObject({
      count: (before['count'] as number) + 1,
      asOfPosition: entered,
    });
    expect(await count(`asOfPosition=${BigInt(position)}`)).toMatchObject({
      count: before['count'],
      version: 1,
    });
    expect(await count(`asOf=${String(before['asOf'])}`)).toMatchObject({
      count: before['count'],
      asOf: before['asOf'],
    });
    expect(await count('asOf=1997-01-01T00:00:00Z')).toMatchObject({ count: 0, version: null });
    for (const axis of ['recorded', 'occurred']) {
      const then = await get(`segments/${id}/members?asOfPosition=${entered}&limit=500&axis=${axis}`);
      // By what is known now of when things happened, as well.
      expect([axis, ids(then)]).toEqual([axis, expect.arrayContaining([anna, bert])]);
      expect(then.body.items?.every((item) => !('contact' in item))).toBe(true);
    }

    const changes = await get(`segments/${id}/changes?limit=1`);
    expect(changes.body.items).toMatchObject([
      { contactId: bert, change: 'entered', version: 1, cause: { kind: 'event', position: entered } },
    ]);
    const next = await get(`segments/${id}/changes?limit=1&cursor=${String(changes.body['nextCursor'])}`);
    expect(next.body).toMatchObject({
      items: [{ contactId: anna, change: 'left', cause: { kind: 'event', position: left } }],
      nextCursor: null,
    });

    const from = String(before['asOf']);
    const series = await get(`segments/${id}/series?from=${from}&to=${String(now['asOf'])}&step=PT1H`);
    expect(series.body['points']).toEqual([{ at: from, count: before['count'] }]);

    const history = await get(`contacts/${anna}/segments`);
    expect(history.body.items).toMatchObject([
      {
        segmentId: id,
        contactId: anna,
        causeIn: { kind: 'initial' },
        causeOut: { kind: 'event', position: left },
      },
    ]);
  });

  it('change at once when the rule does, and never leave anybody who stays', async () => {
    const carla = await register({ gender: 'female', tags: ['vip'] });
    const dora = await register({ gender: 'female' });
    const { id, position } = await define({ rule: WOMEN });
    await get(`segments/${id}/count?minPosition=${position}`);
    const rule = { all: [WOMEN, { attr: 'tags', op: 'hasAny', value: ['vip'] }] };
    const changed = await call('PATCH', `/v1/segments/${id}`, { rule });
    const edit = String(changed.body['position']);
    const then = await get(`segments/${id}/members?minPosition=${edit}`);
    expect(then.body.items).toMatchObject([
      { contactId: carla, membership: { version: 2, causeIn: { position: edit } } },
    ]);
    const changes = await get(`segments/${id}/changes?limit=500`);
    expect(ids(changes)).toContain(dora);
    expect(ids(changes)).not.toContain(carla);
    expect(
      changes.body.items?.every(({ cause, change }) => cause?.['kind'] === 'definition' && change === 'left'),
    ).toBe(true);
  });

  it('overlap, region by region', async () => {
    const vip = await register({ gender: 'male', tags: ['overlap'] });
    const both = await register({ gender: 'female', tags: ['overlap'] });
    const one = await define({ rule: { attr: 'tags', op: 'hasAny', value: ['overlap'] } });
    const two = await define({ manual: true });
    const put = await call('PUT', `/v1/contacts/${both}/segments/${two.id}`, { mode: 'include' });
    const answer = await call('POST', `/v1/segments/overlap?minPosition=${String(put.body['position'])}`, {
      segmentIds: [one.id, two.id],
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      sizes: { [one.id]: 2, [two.id]: 1 },
      regions: [
        { in: [one.id], count: 1 },
        { in: [two.id], count: 0 },
        { in: [one.id, two.id], count: 1 },
      ],
      asOfPosition: expect.stringMatching(/^\d+$/) as string,
    });
    expect(vip).not.toBe(both);
  });

  it('can be kept as a list that changes no more', async () => {
    const erna = await register({ gender: 'female', tags: ['kept'] });
    const { id, position } = await define({ rule: { attr: 'tags', op: 'hasAny', value: ['kept'] } });
    await get(`segments/${id}/count?minPosition=${position}`);
    const key = { 'idempotency-key': randomUUID() };
    const take = () =>
      call('POST', `/v1/segments/${id}/snapshots`, { name: 'Spring mailing' }, 'operator', key);
    const taken = await take();
    expect([taken.status, taken.body]).toEqual([
      201,
      {
        segmentId: id,
        snapshotId: expect.any(String) as string,
        name: 'Spring mailing',
        asOf: expect.any(String) as string,
        revision: 1,
        position: expect.any(String) as string,
      },
    ]);
    const members = `segments/${id}/snapshots/${String(taken.body['snapshotId'])}/members`;
    expect(taken.headers.get('location')).toBe(`/v1/${members}`);
    expect((await take()).body).toEqual(taken.body);

    const left = await patch(erna, { tags: [] });
    expect((await get(`segments/${id}/count?minPosition=${left}`)).body['count']).toBe(0);
    expect(ids(await get(`${members}?minPosition=${left}`))).toEqual([erna]);
    expect((await get(`segments/${id}/snapshots`)).body.items).toEqual([
      {
        snapshotId: taken.body['snapshotId'],
        name: 'Spring mailing',
        asOf: taken.body['asOf'],
        takenAt: expect.any(String) as string,
      },
    ]);
    // Its revision is that of the segment's stream, which this moved.
    expect((await get(`segments/${id}?minPosition=${left}`)).body['version']).toBe(1);

    const erased = await call('DELETE', `/v1/contacts/${erna}`, {});
    expect(erased.status).toBe(202);
    await eventually(
      'the contact is gone',
      async () => (await get(`contacts/${erna}/segments`)).status === 410,
    );
    const { body } = await get(members);
    expect(body.items).toEqual([
      { contactId: erna, erased: true, membership: expect.objectContaining({ segmentId: id }) as object },
    ]);
  });

  it('are refused to whom they are not for, with an entry in the privacy log for whom they are', async () => {
    const franz = await register({ gender: 'male', tags: ['logged'] });
    const { id, position } = await define({ rule: { attr: 'tags', op: 'hasAny', value: ['logged'] } });
    await get(`segments/${id}/count?minPosition=${position}`);
    const paths = [
      'members',
      'count',
      'changes',
      `series?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z`,
      'snapshots',
    ];
    for (const path of paths) {
      for (const role of ['auditor', 'analyst'])
        expect((await get(`segments/${id}/${path}`, role)).status).toBe(403);
      for (const role of ['operator', 'admin'])
        expect((await get(`segments/${id}/${path}`, role)).status).toBe(200);
    }
    expect((await get(`contacts/${franz}/segments`, 'analyst')).status).toBe(403);
    expect((await get(`contacts/${franz}/segments`, 'auditor')).status).toBe(403);

    await get(`segments/${id}/members?minPosition=${position}`);
    let logged: Item | undefined;
    await eventually('the access is in the privacy log', async () => {
      const { body } = await get('privacy-log?action=segment.view&limit=500', 'auditor');
      logged = body.items?.find(({ subjects, rows }) => rows === 1 && String(subjects) === franz);
      return logged !== undefined;
    });
    expect(logged).toMatchObject({ outcome: 'allowed', subjectCount: 1 });
    expect(logged?.['fields']).toEqual(expect.arrayContaining(['membership', 'contact.firstName']));
  });

  it('are not told of what is not there, or of what cannot be', async () => {
    const { id, position } = await define({ manual: true });
    const other = await define({ manual: true });
    await get(`segments/${id}/count?minPosition=${other.position}`);
    for (const path of ['members', 'count', 'changes', 'snapshots', `snapshots/${NOBODY}/members`]) {
      expect(refused(await get(`segments/${NOBODY}/${path}`))).toEqual([404, 'segments.not-found']);
    }
    expect(refused(await get(`segments/${id}/snapshots/${NOBODY}/members`))).toEqual([
      404,
      'segments.snapshot-not-found',
    ]);
    expect(refused(await get(`contacts/${NOBODY}/segments`))).toEqual([404, 'contacts.not-found']);
    expect(refused(await call('POST', `/v1/segments/${NOBODY}/snapshots`, { name: 'x' }))).toEqual([
      404,
      'segments.not-found',
    ]);

    const series = (query: string) => get(`segments/${id}/series?${query}`);
    const day = 'from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z';
    expect(refused(await series('to=2026-01-02T00:00:00Z'))).toEqual([422, 'invalid-input', '/from']);
    expect(refused(await series(`${day}&step=often`))).toEqual([422, 'invalid-input', '/step']);
    expect(refused(await series(`${day}&step=P0D`))).toEqual([422, 'segments.invalid-step', '/step']);
    expect(refused(await series(`${day}&step=PT1S`))).toEqual([422, 'segments.too-many-points', '/step']);
    expect(refused(await series('from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z'))).toEqual([
      422,
      'segments.invalid-period',
      '/from',
    ]);
    const count = (query: string) => get(`segments/${id}/count?${query}`);
    expect(refused(await count('asOf=yesterday'))).toEqual([422, 'invalid-input', '/asOf']);
    expect(refused(await count('asOf=9000-01-01T00:00:00Z'))).toEqual([422, 'segments.not-yet', '/asOf']);
    expect(refused(await count('asOfPosition=-1'))).toEqual([422, 'invalid-input', '/asOfPosition']);
    expect(refused(await count('asOfPosition=9223372036854775808'))).toEqual([
      422,
      'invalid-input',
      '/asOfPosition',
    ]);
    expect(refused(await count(`asOfPosition=${BigInt(position) + 1n}`))).toEqual([
      422,
      'segments.unknown-position',
      '/asOfPosition',
    ]);
    expect(refused(await count(`asOf=2026-01-01T00:00:00Z&asOfPosition=${position}`))).toEqual([
      422,
      'invalid-input',
      '/asOfPosition',
    ]);
    expect(refused(await count('axis=sideways'))).toEqual([422, 'invalid-input', '/axis']);
    expect(refused(await count('limit=5'))[0]).toBe(422);
    expect((await get('segments/not-an-id/members')).status).toBe(422);
    expect((await get(`segments/${id}/members?cursor=made-up`)).status).toBe(400);

    const overlap = (segmentIds: unknown) => call('POST', '/v1/segments/overlap', { segmentIds });
    expect(refused(await overlap([id]))).toEqual([422, 'invalid-input', '/segmentIds']);
    expect(refused(await overlap([id, id]))).toEqual([422, 'invalid-input', '/segmentIds/1']);
    expect(refused(await overlap([id, 'x']))).toEqual([422, 'invalid-input', '/segmentIds']);
    expect(refused(await overlap(Array.from({ length: 6 }, () => randomUUID())))).toEqual([
      422,
      'invalid-input',
      '/segmentIds',
    ]);
    expect(refused(await overlap([id, NOBODY]))).toEqual([404, 'segments.not-found']);

    const snapshot = (body: object) => call('POST', `/v1/segments/${id}/snapshots`, body);
    expect(refused(await snapshot({}))).toEqual([422, 'invalid-input', '/name']);
    expect(refused(await snapshot({ name: 'x', asOf: '9000-01-01T00:00:00Z' }))).toEqual([
      422,
      'segments.not-yet',
      '/asOf',
    ]);

    const deleted = await call('DELETE', `/v1/segments/${other.id}`);
    for (const path of ['members', 'count?asOf=2026-01-01T00:00:00Z', 'changes', 'snapshots']) {
      const query = `${path.includes('?') ? '&' : '?'}minPosition=${String(deleted.body['position'])}`;
      expect(refused(await get(`segments/${other.id}/${path}${query}`))).toEqual([404, 'segments.not-found']);
    }
  });
});
