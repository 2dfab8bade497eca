import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Global, Module, type DynamicModule } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { startEmbeddedEventStore, type EmbeddedEventStore } from '@app/embedded-eventstoredb';
import { EventStoreModule } from '@app/event-store';
import { AccessLog, createHttpApplication, HttpModule, Readiness } from '@app/http';
import { Clock } from '@app/kernel';
import { PersonalDataModule } from '@app/personal-data';
import { eventually, KeptAccessLog } from '@app/testing';
import { AccessModule, accessEventDefinitions, AdminKeyKeeper, KeyUses } from './index';

const USED_AT = '2026-01-01T00:00:00.000Z';
let aheadMs = 0;

@Global()
@Module({
  providers: [
    { provide: Clock, useValue: { now: () => new Date(Date.now() + aheadMs) } },
    { provide: Readiness, useValue: { report: async () => ({ ready: true, parts: {}, lag: null }) } },
    { provide: AccessLog, useClass: KeptAccessLog },
    { provide: KeyUses, useValue: { lastUsedAt: async () => USED_AT } },
  ],
  exports: [AccessLog, Clock, KeyUses, Readiness],
})
class SurroundingsModule {}

class TestModule {
  static on(connectionString: string, keysDir: string): DynamicModule {
    return {
      module: TestModule,
      imports: [
        SurroundingsModule,
        PersonalDataModule.forRoot({ keysDir }),
        EventStoreModule.forRoot({ connectionString, definitions: accessEventDefinitions }),
        CqrsModule.forRoot(),
        HttpModule,
        AccessModule,
      ],
    };
  }
}
Module({})(TestModule);

const quiet = { log: () => undefined, error: () => undefined, warn: () => undefined };

describe('API keys over HTTP, on an event store', () => {
  let directory: string;
  let store: EmbeddedEventStore;
  /** Two processes, as far as they know. */
  let one: NestFastifyApplication;
  let two: NestFastifyApplication;
  let admin: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'regulars-access-'));
    store = await startEmbeddedEventStore({ dataDir: join(directory, 'events') });
    const start = () =>
      createHttpApplication(TestModule.on(store.connectionString, join(directory, 'keys')), {
        logger: quiet,
      });
    one = await start();
    two = await start();
    const made = await one.get(AdminKeyKeeper).ensure({ file: join(directory, 'admin.key'), ownsLog: true });
    if (made.kind !== 'created') throw new Error(made.kind);
    admin = made.key;
  });

  afterAll(async () => {
    await one?.close();
    await two?.close();
    await store?.close();
    rmSync(directory, { recursive: true });
  });

  type Body = Record<string, unknown>;
  const call = async (
    app: NestFastifyApplication,
    key: string,
    method: 'GET' | 'POST' | 'DELETE',
    url: string,
    payload?: object,
    headers = {},
  ) => {
    const answer = await app.inject({
      method,
      url: `/v1/api-keys${url}`,
      headers: { authorization: `Bearer ${key}`, ...headers },
      ...(payload ? { payload } : {}),
    });
    return { status: answer.statusCode, headers: answer.headers, body: answer.json() as Body };
  };
  const create = async (terms: object = {}, headers = {}) => {
    const answer = await call(one, admin, 'POST', '', { name: 'till', role: 'admin', ...terms }, headers);
    expect(answer.status).toBe(201);
    return answer.body as { id: string; key: string; position: string };
  };
  const statusIn = async (app: NestFastifyApplication, key: string) =>
    (await call(app, key, 'GET', '')).status;

  it('begin with the admin key of the file, which stays the same', async () => {
    const file = join(directory, 'admin.key');
    expect(readFileSync(file, 'utf8')).toBe(`${admin}\n`);
    expect(admin).toMatch(/^reg_[A-Za-z0-9_-]{43}$/);
    expect(await one.get(AdminKeyKeeper).ensure({ file, ownsLog: true })).toEqual({ kind: 'kept' });
    expect([await statusIn(one, admin), await statusIn(two, admin)]).toEqual([200, 200]);
  });

  it('are made with a role, shown once, and listed without their secret', async () => {
    const { key, id, position } = await create({ name: 'desk', role: 'operator' });
    expect(key).toMatch(/^reg_[A-Za-z0-9_-]{43}$/);
    expect(await statusIn(one, key)).toBe(403);
    const { body } = await call(two, admin, 'GET', `?minPosition=${position}`);
    expect(body).toMatchObject({ nextCursor: null, asOfPosition: expect.stringMatching(/^\d+$/) });
    expect(body['items']).toContainEqual({
      id,
      name: 'desk',
      role: 'operator',
      createdAt: expect.any(String),
      rotatedAt: null,
      expiresAt: null,
      revokedAt: null,
      lastUsedAt: USED_AT,
    });
    expect(JSON.stringify(body)).not.toContain(key);
    expect((await call(two, admin, 'GET', '?minPosition=9000000000000000000')).status).toBe(503);
  });

  it('are paged', async () => {
    await create();
    const ids: unknown[] = [];
    let query = '?limit=1';
    for (let pages = 0; pages < 20; pages += 1) {
      const { body } = await call(one, admin, 'GET', query);
      ids.push(...(body['items'] as { id: string }[]).map(({ id }) => id));
      if (body['nextCursor'] === null) break;
      query = `?limit=1&cursor=${String(body['nextCursor'])}`;
    }
    const all = (await call(one, admin, 'GET', '')).body['items'] as { id: string }[];
    expect(ids).toEqual(all.map(({ id }) => id));
    expect(ids.length).toBeGreaterThan(2);
    expect((await call(one, admin, 'GET', '?cursor=forged')).body).toMatchObject({
      status: 400,
      code: 'invalid-cursor',
    });
  });

  it('are known to every process as soon as they are made', async () => {
    for (let n = 0; n < 3; n += 1) expect(await statusIn(two, (await create()).key)).toBe(200);
  });

  it('are not made twice by a repeated command, whose answer has no secret', async () => {
    const again = { 'idempotency-key': 'once' };
    const first = await create({ name: 'once' }, again);
    const second = await create({ name: 'once' }, again);
    expect(second).toEqual({ ...first, key: null });
    expect(await statusIn(one, first.key)).toBe(200);
    expect((await call(one, admin, 'POST', '', { name: 'other', role: 'admin' }, again)).status).toBe(422);
  });

  it('end at once where they are rotated or revoked, and within moments elsewhere', async () => {
    const { id, key } = await create();
    expect(await statusIn(two, key)).toBe(200);
    const rotated = await call(one, admin, 'POST', `/${id}/rotation`);
    expect(rotated.status).toBe(201);
    const next = rotated.body['key'] as string;
    expect([await statusIn(one, key), await statusIn(one, next), await statusIn(two, next)]).toEqual([
      401, 200, 200,
    ]);
    await eventually('the key before has ended', async () => (await statusIn(two, key)) === 401);
    expect((await call(one, admin, 'DELETE', `/${id}`)).status).toBe(200);
    expect(await statusIn(one, next)).toBe(401);
    await eventually('the revoked key has ended', async () => (await statusIn(two, next)) === 401);
    expect((await call(one, admin, 'DELETE', `/${id}`)).status).toBe(200);
    expect((await call(one, admin, 'POST', `/${id}/rotation`)).status).toBe(410);
  });

  it('end when they expire', async () => {
    const { key } = await create({ expiresAt: new Date(Date.now() + 3_600_000).toISOString() });
    expect([await statusIn(one, key), await statusIn(two, key)]).toEqual([200, 200]);
    aheadMs = 3_600_001;
    expect([await statusIn(one, key), await statusIn(two, key)]).toEqual([401, 401]);
    expect(await statusIn(one, admin)).toBe(200);
    aheadMs = 0;
  });

  it('are refused with bad terms', async () => {
    const refused = async (terms: object) =>
      (await call(one, admin, 'POST', '', { name: 'n', role: 'admin', ...terms })).body;
    expect(await refused({ role: 'owner' })).toMatchObject({ status: 422, errors: [{ pointer: '/role' }] });
    expect(await refused({ name: '' })).toMatchObject({ status: 422, errors: [{ pointer: '/name' }] });
    expect(await refused({ name: 'n'.repeat(201) })).toMatchObject({ status: 422 });
    expect(await refused({ expiresAt: '2020-01-01T00:00:00Z' })).toMatchObject({
      status: 422,
      errors: [{ pointer: '/expiresAt' }],
    });
    expect((await call(one, admin, 'DELETE', '/00000000-0000-8000-8000-0000000000ff')).status).toBe(404);
  });

  it('are taken from the setting, whatever was there', async () => {
    const keeper = one.get(AdminKeyKeeper);
    const file = join(directory, 'admin.key');
    expect(await keeper.ensure({ configured: 'a-key-that-was-configured', file, ownsLog: true })).toEqual({
      kind: 'configured',
    });
    expect([await statusIn(one, admin), await statusIn(one, 'a-key-that-was-configured')]).toEqual([
      401, 200,
    ]);
    expect(await keeper.ensure({ file, ownsLog: true })).toEqual({ kind: 'outdated' });
  });
});
