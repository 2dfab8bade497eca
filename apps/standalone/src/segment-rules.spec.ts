import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, loadConfig } from '@app/config';
import { askedAgain, eventually } from '@app/testing';
import { startStandalone, type RunningStandalone } from './start-standalone';

type Body = Record<string, unknown> & { errors?: { pointer: string }[] };
type Answer = Readonly<{ status: number; body: Body }>;

const WOMEN = { attr: 'profile.gender', op: 'eq', value: 'female' };
const VISITED = { event: 'CheckedIn', window: { last: 'P30D' } };
const DAY_MS = 86_400_000;
const ago = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString();

describe('what rules find, over HTTP', () => {
  let directory: string;
  let standalone: RunningStandalone;
  const keys: Record<string, string> = {};
  const contacts: Record<string, string> = {};
  let women = '';
  let position = '';

  const call = (method: string, path: string, body?: object, role = 'operator'): Promise<Answer> =>
    askedAgain(() => ask(method, path, body, role));
  const ask = async (
    method: string,
    path: string,
    body: object | undefined,
    role: string,
  ): Promise<Answer> => {
    const response = await fetch(`${standalone.api.url}/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${keys[role]}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Body };
  };
  const done = async (method: string, path: string, body?: object): Promise<Body> => {
    const answer = await call(method, path, body);
    expect([path, answer.status < 300, answer.body.errors]).toEqual([path, true, undefined]);
    position = String(answer.body['position']);
    return answer.body;
  };
  const preview = (body: object, role?: string): Promise<Answer> =>
    call('POST', `/segments/preview?minPosition=${position}`, body, role);
  const refused = ({ status, body }: Answer): unknown[] => [
    status,
    ...(body.errors ?? []).map(({ pointer }) => pointer),
  ];

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'regulars-rules-'));
    const config = loadConfig(
      { REGULARS_DATA_DIR: join(directory, 'data'), PORT: '0', LOG_LEVEL: 'silent' },
      directory,
    );
    standalone = await startStandalone(config, createLogger('standalone', 'silent'));
    keys['admin'] = (standalone.api.adminKey as { key: string }).key;
    for (const role of ['operator', 'auditor', 'analyst']) {
      const { body } = await call('POST', '/api-keys', { name: role, role }, 'admin');
      keys[role] = body['key'] as string;
    }
    for (const [name, gender] of [
      ['anna', 'female'],
      ['berta', 'female'],
      ['carl', 'male'],
    ] as const) {
      const profile = { firstName: name, gender, email: `${name}@example.org` };
      const { contactId } = await done('POST', '/contacts', { profile, registeredAt: ago(100) });
      contacts[name] = contactId as string;
    }
    await done('POST', `/contacts/${contacts['anna']}/check-ins`, { occurredAt: ago(3) });
    await done('POST', `/contacts/${contacts['carl']}/check-ins`, { occurredAt: ago(60) });
    women = (await done('POST', '/segments', { name: 'Women', rule: WOMEN }))['segmentId'] as string;
    const { status } = await call('GET', `/segments/${women}?minPosition=${position}`);
    expect(status).toBe(200);
  });

  afterAll(async () => {
    await standalone?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('previews a rule, clause by clause, against a segment, and writes nothing', async () => {
    const segments = async (): Promise<unknown> =>
      ((await call('GET', '/segments')).body['items'] as object[]).map((one) => ({
        ...one,
        asOfPosition: 0,
      }));
    const before = await segments();
    const { status, body } = await preview({ rule: { all: [WOMEN, VISITED] }, compareTo: women });
    expect([status, body]).toEqual([
      200,
      {
        count: 1,
        sample: [
          expect.objectContaining({ contactId: contacts['anna'], firstName: 'anna', segments: [women] }),
        ],
        clauses: [
          { pointer: '/root', count: 1 },
          { pointer: '/root/all/0', count: 2 },
          { pointer: '/root/all/1', count: 1 },
        ],
        reach: { email: 1, push: 0, sms: 0, inbox: 1 },
        wouldEnter: 0,
        wouldLeave: 1,
        lint: [],
        asOf: expect.any(String),
        asOfPosition: expect.any(String),
      },
    ]);
    expect(await segments()).toEqual(before);
  });

  it('previews the past on what had happened, and on what had been recorded', async () => {
    const rule = { all: [VISITED, { attr: 'profile.gender', op: 'isSet' }] };
    const then = { rule, asOf: ago(50), sample: 0 };
    expect((await preview(then)).body).toMatchObject({ count: 1, asOf: then.asOf });
    expect((await preview({ ...then, axis: 'recorded' })).body).toMatchObject({ count: 0 });
    expect((await preview({ rule: { segment: women, op: 'in' }, asOf: ago(50) })).body).toMatchObject({
      count: 2,
    });
  });

  it('previews rankings, and rules that nobody can meet', async () => {
    const top = { ranked: { by: 'checkIns.count', top: 1 } };
    expect((await preview({ rule: top })).body).toMatchObject({
      count: 2,
      clauses: [{ pointer: '/root', count: 2 }],
    });
    expect((await preview({ rule: top, asOf: ago(50) })).body).toMatchObject({ count: 1 });
    const contradiction = { all: [WOMEN, { attr: 'profile.gender', op: 'eq', value: 'male' }] };
    const { status, body } = await preview({ rule: contradiction });
    expect([status, body['count']]).toEqual([200, 0]);
    expect(body['lint']).toEqual([expect.objectContaining({ level: 'error', pointer: '/root' })]);
  });

  it('shows analysts pseudonyms, and auditors nothing', async () => {
    const { status, body } = await preview({ rule: WOMEN, sample: 1 }, 'analyst');
    expect(status).toBe(200);
    expect(body['sample']).toEqual([
      expect.objectContaining({ firstName: null, email: null, birthday: null, gender: 'female' }),
    ]);
    expect((await preview({ rule: WOMEN }, 'auditor')).status).toBe(403);
    const path = `/segments/${women}/explain/${contacts['anna']}`;
    expect((await call('GET', path, undefined, 'analyst')).status).toBe(403);
  });

  it.each<[object, unknown[]]>([
    [{}, [422, '/rule']],
    [{ rule: { all: [] } }, [422, '/rule/all']],
    [{ rule: { all: [WOMEN, { attr: 'nonsense', op: 'eq', value: 1 }] } }, [422, '/rule/all/1/attr']],
    [{ rule: WOMEN, asOf: 'yesterday' }, [422, '/asOf']],
    [{ rule: WOMEN, asOf: '2999-01-01T00:00:00Z' }, [422, '/asOf']],
    [{ rule: WOMEN, axis: 'sideways' }, [422, '/axis']],
    [{ rule: WOMEN, sample: 1_000 }, [422, '/sample']],
    [{ rule: WOMEN, compareTo: randomUUID() }, [422, '/compareTo']],
    [{ rule: { segment: randomUUID(), op: 'in' } }, [422, '/rule']],
    [{ rule: WOMEN, more: 1 }, [422, '/more']],
  ])('refuses to preview %j', async (body, expected) => {
    expect(refused(await preview(body))).toEqual(expected);
  });

  it('explains who is in, who is not, and who was put there by hand', async () => {
    const explain = async (name: string, query = '') =>
      call('GET', `/segments/${women}/explain/${contacts[name]}?minPosition=${position}${query}`);
    expect(await explain('anna')).toEqual({
      status: 200,
      body: {
        member: true,
        truth: 'true',
        version: 1,
        overlay: null,
        nextChangeAt: null,
        tree: { pointer: '/root', truth: 'true', value: 'female', evidence: [expect.any(String)] },
        asOf: expect.any(String),
        asOfPosition: expect.any(String),
      },
    });
    expect((await explain('carl')).body).toMatchObject({ member: false, truth: 'false', overlay: null });

    const expiresAt = new Date(Date.now() + DAY_MS).toISOString();
    const overlay = { mode: 'include', reason: 'asked for it', expiresAt };
    await done('PUT', `/contacts/${contacts['carl']}/segments/${women}`, overlay);
    expect((await explain('carl')).body).toMatchObject({
      member: true,
      truth: 'false',
      overlay,
      nextChangeAt: expiresAt,
    });
    expect((await explain('carl', `&asOf=${ago(1)}`)).body).toMatchObject({
      member: false,
      version: null,
      overlay: null,
    });
    expect((await explain('anna', `&asOf=${ago(1)}&axis=occurred`)).body).toMatchObject({ member: true });
    // Put in by hand, he is in already, and stays whatever the rule.
    const men = { rule: { attr: 'profile.gender', op: 'eq', value: 'male' }, compareTo: women };
    expect((await preview(men)).body).toMatchObject({ count: 1, wouldEnter: 0, wouldLeave: 2 });

    // Nobody was in before it was defined; by when things happened, those were whom it means.
    const then = `asOf=${ago(1)}&minPosition=${position}`;
    for (const [axis, members] of [
      ['recorded', []],
      ['occurred', [contacts['anna'], contacts['berta']].sort()],
    ] as const) {
      const count = await call('GET', `/segments/${women}/count?${then}&axis=${axis}`);
      expect([axis, count.status, count.body['count']]).toEqual([axis, 200, members.length]);
      const listed = await call('GET', `/segments/${women}/members?${then}&axis=${axis}`);
      const items = listed.body['items'] as { contactId: string }[];
      expect([axis, items.map(({ contactId }) => contactId)]).toEqual([axis, members]);
    }

    expect((await call('GET', `/segments/${randomUUID()}/explain/${contacts['anna']}`)).status).toBe(404);
    expect((await call('GET', `/segments/${women}/explain/${randomUUID()}`)).status).toBe(404);
    expect((await explain('anna', '&asOf=never')).status).toBe(422);
  });

  it('lists contacts by segment and by what only their history tells', async () => {
    const list = (query: string) => call('GET', `/contacts?minPosition=${position}&${query}`);
    const names = ({ body }: Answer) =>
      (body['items'] as { firstName: string }[]).map(({ firstName }) => firstName);
    expect(names(await list(`segment=${women}&sort=firstName`))).toEqual(['anna', 'berta', 'carl']);
    expect(refused(await list(`segment=${randomUUID()}`))).toEqual([422, '/segment']);
    const filter = encodeURIComponent(JSON.stringify(VISITED));
    expect(names(await list(`filter=${filter}`))).toEqual(['anna']);
    const search = { filter: { not: VISITED }, count: true, sort: 'firstName', limit: 1 };
    const found = await call('POST', '/contacts/search', search);
    expect([found.body['total'], names(found)]).toEqual([2, ['berta']]);
    const summary = await call('GET', `/contacts/summary?filter=${filter}`);
    expect(summary.body).toMatchObject({ total: 1, byGender: { female: 1 } });
    const details = await call('GET', `/contacts/${contacts['carl']}`);
    expect(details.body['segments']).toEqual([women]);
  });

  it('tells nothing of whom the erasure has begun', async () => {
    await done('DELETE', `/contacts/${contacts['berta']}`, {});
    const path = `/segments/${women}/explain/${contacts['berta']}?minPosition=${position}`;
    await eventually('it is erased', async () => (await call('GET', path)).status === 410);
    expect((await preview({ rule: WOMEN })).body).toMatchObject({ count: 1 });
    expect((await preview({ rule: WOMEN, asOf: ago(1) })).body).toMatchObject({ count: 1 });
  });
});
