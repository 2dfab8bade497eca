import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RequestMethod } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants';
import { createLogger, loadConfig, nestLogger } from '@app/config';
import { startEmbeddedEventStore, type EmbeddedEventStore } from '@app/embedded-eventstoredb';
import { startEmbeddedMongo, type EmbeddedMongo } from '@app/embedded-mongodb';
import { createHttpApplication, DeclaredAccessCheck } from '@app/http';
import type { Role } from '@app/kernel';
import { ApiModule } from './api.module';
import { startApi, type RunningApi } from './start-api';

const ROLES: readonly Role[] = ['operator', 'analyst', 'auditor', 'admin'];
const ID = '0b8f7a4e-8f0e-4f1c-9d7e-0a4b5c6d7e8f';
const logger = createLogger('api', 'silent');

describe('the API', () => {
  let directory: string;
  let events: EmbeddedEventStore;
  let documents: EmbeddedMongo;
  let api: RunningApi;
  let keys: Record<Role, string>;

  const start = (environment: Record<string, string> = {}) =>
    startApi({
      config: loadConfig({ PORT: '0', REGULARS_DATA_DIR: directory, ...environment }, directory),
      servers: { eventStoreUrl: events.connectionString, mongodbUrl: documents.url },
      logger,
      ownsLog: true,
    });

  const ask = (path: string, key?: string, init: RequestInit = {}) =>
    fetch(`${api.url}${path}`, {
      ...init,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
    });

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'regulars-api-'));
    [events, documents] = await Promise.all([
      startEmbeddedEventStore({ dataDir: join(directory, 'eventstore') }),
      startEmbeddedMongo({ dataDir: join(directory, 'mongodb') }),
    ]);
    api = await start();
    if (api.adminKey.kind !== 'created') throw new Error(api.adminKey.kind);
    const admin = api.adminKey.key;
    const keyOf = async (role: Role) => {
      const answer = await ask('/v1/api-keys', admin, {
        method: 'POST',
        body: JSON.stringify({ name: role, role }),
      });
      return [role, ((await answer.json()) as { key: string }).key];
    };
    keys = Object.fromEntries(await Promise.all(ROLES.map(keyOf))) as Record<Role, string>;
  });

  afterAll(async () => {
    await api?.close();
    await documents?.close();
    await events?.close();
    rmSync(directory, { recursive: true });
  });

  it('keeps its admin key over a start', async () => {
    const again = await start();
    expect(again.adminKey.kind).toBe('kept');
    await again.close();
  });

  it('lets every route be called by the roles it names, by admin, and by nobody else', async () => {
    const app = await createHttpApplication(
      ApiModule.forRoot({
        eventStoreUrl: events.connectionString,
        mongodbUrl: documents.url,
        mongodbName: 'regulars',
        suppressErased: true,
        privacyLogName: 'regulars.local/privacy-log',
        keysDir: join(directory, 'keys'),
      }),
      { logger: nestLogger(logger) },
    );
    try {
      const routes = app.get(DeclaredAccessCheck).routes();
      expect(routes.length).toBeGreaterThan(20);
      for (const { controller, method, plan } of routes) {
        const handler = (controller.prototype as Record<string, object>)[method]!;
        const parts = [
          Reflect.getMetadata(PATH_METADATA, controller),
          Reflect.getMetadata(PATH_METADATA, handler),
        ];
        const path = parts
          .map(String)
          .join('/')
          .replaceAll('//', '/')
          .replace(/\/$/, '')
          .replace(/:\w+/g, ID);
        const verb = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as number]!;
        const call = async (key?: string) => {
          // A parameter that no route has: who may call it is told so, and nothing happens.
          const url = `${plan.access ? '/v1/' : '/'}${path}?no-such-parameter=1`.replaceAll('//', '/');
          const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
          return (await app.inject({ method: verb as 'GET', url, headers: authorization })).statusCode;
        };
        const found = { none: await call() } as Record<string, number>;
        for (const role of ROLES) found[role] = await call(keys[role]);
        const { access } = plan;
        const allowed = (role: Role) => access === null || role === 'admin' || access.roles.includes(role);
        const expected = Object.fromEntries(ROLES.map((role) => [role, allowed(role) ? 422 : 403]));
        expect([verb, path, found]).toEqual([verb, path, { none: access === null ? 422 : 401, ...expected }]);
      }
    } finally {
      await app.close();
    }
  });

  it('describes itself in valid OpenAPI 3.1, each operation by a name of its own', async () => {
    const document = (await (await ask('/openapi.json')).json()) as {
      paths: Record<string, Record<string, { operationId: string }>>;
    };
    const { Validator } = await import('@seriousme/openapi-schema-validator');
    expect((await new Validator().validate(document)).errors ?? []).toEqual([]);
    const ids = Object.values(document.paths).flatMap((item) =>
      Object.values(item).map(({ operationId }) => operationId),
    );
    expect(ids.every((id) => /^[a-z][A-Za-z]+$/.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    expect((await ask('/docs')).status).toBe(200);
  });

  it('tells whether it is ready, and its figures', async () => {
    const ready = await ask('/health/ready');
    expect([ready.status, await ready.json()]).toEqual([
      200,
      {
        ready: true,
        parts: { eventStore: 'up', readStore: 'up', keyRing: 'up' },
        lag: expect.stringMatching(/^\d+$/),
      },
    ]);
    expect(await (await ask('/metrics')).text()).toMatch(/regulars_projection_lag_positions \d+/);
  });

  it('says in one line why it cannot listen', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    try {
      await expect(start({ PORT: String(port) })).rejects.toThrow(
        `Port ${port} of 127.0.0.1 is taken; set PORT to another one.`,
      );
      await expect(start({ HOST: '192.0.2.1' })).rejects.toThrow(
        '192.0.2.1 is no address of this machine; set HOST to one.',
      );
    } finally {
      taken.close();
    }
  });
});
