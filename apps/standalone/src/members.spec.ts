import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger, loadConfig, type Config } from '@app/config';
import { askedAgain, eventually } from '@app/testing';
import { startApi, type RunningApi } from '../../api/src/start-api';
import { startProjector, type RunningProjector } from '../../projector/src/start-projector';
import { prepareDataFolder } from './data-folder';
import { startStores } from './stores';

type Body = Record<string, unknown> & { items: Record<string, unknown>[] };
type Answer = Readonly<{ status: number; body: Body }>;

const RICH = { metric: 'points.balance', op: 'gte', value: 100 };
const credit = { type: 'creditPoints', points: 5, reason: 'welcome', pool: 'extra' };
const hello = {
  type: 'sendMessage',
  channel: 'inbox',
  purpose: 'service',
  subject: 'Hello',
  body: 'You are in.',
};

/** What hangs on memberships: the feed, automations, rewards. The projectors come and go. */
describe('what members get', () => {
  const logger = createLogger('standalone', 'silent');
  let directory: string;
  let config: Config;
  let stores: Awaited<ReturnType<typeof startStores>>;
  let api: RunningApi;
  let projectors: RunningProjector[] = [];
  let key: string;

  const project = async (): Promise<void> => {
    projectors.push(await startProjector({ config, servers: stores.servers, logger }));
  };
  const stopProjecting = async (): Promise<void> => {
    await Promise.all(projectors.map((projector) => projector.close()));
    projectors = [];
  };

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'regulars-members-'));
    config = loadConfig(
      { REGULARS_DATA_DIR: join(directory, 'data'), PORT: '0', LOG_LEVEL: 'silent' },
      directory,
    );
    prepareDataFolder(config.dataDir);
    stores = await startStores(config);
    api = await startApi({ config, servers: stores.servers, logger, ownsLog: true });
    key = (api.adminKey as { key: string }).key;
  });
  beforeEach(async () => {
    if (projectors.length === 0) await project();
  });
  afterAll(async () => {
    await stopProjecting();
    await api?.close();
    await stores?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const call = (method: string, path: string, body?: object): Promise<Answer> =>
    askedAgain(() => ask(method, path, body));
  const ask = async (method: string, path: string, body?: object): Promise<Answer> => {
    const response = await fetch(`${api.url}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Body };
  };
  const done = async (method: string, path: string, body?: object): Promise<Body> => {
    const answer = await call(method, path, body);
    expect([answer.status < 300, answer.body['errors'], answer.body['detail']]).toEqual([
      true,
      undefined,
      undefined,
    ]);
    return answer.body;
  };
  const register = async (): Promise<string> =>
    String((await done('POST', '/contacts', { profile: {} }))['contactId']);
  const define = async (fields: object = { rule: RICH }): Promise<string> => {
    const { segmentId, position } = await done('POST', '/segments', { name: 'Some', ...fields });
    await done('GET', `/segments/${String(segmentId)}?minPosition=${String(position)}`);
    return String(segmentId);
  };
  const enrich = (contactId: string, points = 100) =>
    done('POST', `/contacts/${contactId}/points/credits`, { points, reason: 'x' });
  const impoverish = (contactId: string, points = 100) =>
    done('POST', `/contacts/${contactId}/points/debits`, { points, reason: 'x' });
  const feed = async (query: string) => (await done('GET', `/activity?${query}`)).items;
  const automate = async (segmentId: string, fields: object = {}) =>
    String(
      (
        await done('POST', '/automations', {
          on: { segmentId, change: 'entered' },
          then: [credit, hello],
          active: true,
          ...fields,
        })
      )['automationId'],
    );
  const extra = async (contactId: string): Promise<number> => {
    // Nobody has told the read models to hurry: it may not be there.
    const { body } = await call('GET', `/contacts/${contactId}`);
    return (body['balances'] as Record<string, number> | undefined)?.['extra'] ?? 0;
  };

  describe('the feed', () => {
    it('tells who entered and left, and nothing of a first fill', async () => {
      const early = await register();
      await enrich(early);
      const segmentId = await define();
      const late = await register();
      await enrich(late);
      await eventually('it is told', async () => (await feed(`segmentId=${segmentId}`)).length === 1);
      await impoverish(late);
      await eventually('it is told', async () => (await feed(`segmentId=${segmentId}`)).length === 2);
      const [left, entered] = await feed(`segmentId=${segmentId}`);
      expect(entered).toMatchObject({
        type: 'SegmentEntered',
        contactId: late,
        actor: { id: 'segment-announcer', role: 'system' },
        data: { segmentId, version: 1, cause: { kind: 'event' } },
      });
      expect(Object.keys(entered!['data'] as object).sort()).toEqual(['cause', 'segmentId', 'version']);
      expect(left).toMatchObject({ type: 'SegmentLeft', contactId: late });
      expect(await feed(`segmentId=${segmentId}&type=SegmentLeft&contactId=${late}`)).toHaveLength(1);
      expect(await feed(`type=SegmentEntered&contactId=${early}`)).toEqual([]);
      const own = (await done('GET', `/contacts/${late}/activity`)).items.map(({ type }) => type);
      expect(own).toEqual([
        'SegmentLeft',
        'PointsDebited',
        'SegmentEntered',
        'PointsCredited',
        'ContactRegistered',
      ]);
    });
  });

  describe('an automation', () => {
    it('is kept, shown, changed and deleted', async () => {
      const segmentId = await define();
      const automationId = await automate(segmentId);
      const { position } = await done('PATCH', `/automations/${automationId}`, {
        limitPerContact: 2,
        active: false,
      });
      const shown = {
        automationId,
        on: { segmentId, change: 'entered' },
        then: [credit, hello],
        limitPerContact: 2,
        active: false,
      };
      const at = `minPosition=${String(position)}`;
      expect(await done('GET', `/automations/${automationId}?${at}`)).toMatchObject({
        ...shown,
        revision: 2,
      });
      expect((await done('GET', `/automations?${at}`)).items).toContainEqual(shown);
      const removed = await done('DELETE', `/automations/${automationId}`);
      const gone = await call(
        'GET',
        `/automations/${automationId}?minPosition=${String(removed['position'])}`,
      );
      expect(gone.status).toBe(404);
      expect((await call('PATCH', `/automations/${automationId}`, { active: true })).status).toBe(404);
    });

    it('is refused where it could not be done', async () => {
      const segmentId = await define();
      const refused = async (fields: object) => {
        const { status, body } = await call('POST', '/automations', {
          on: { segmentId, change: 'entered' },
          then: [credit],
          active: true,
          ...fields,
        });
        return [status, body['code'], ((body['errors'] ?? []) as { pointer: string }[])[0]?.pointer];
      };
      expect(await refused({ on: { segmentId: randomUUID(), change: 'left' } })).toEqual([
        422,
        'automations.unknown-segment',
        '/on/segmentId',
      ]);
      expect(await refused({ then: [credit, { type: 'callWebhook' }] })).toEqual([
        422,
        'automations.unsupported-action',
        '/then/1/type',
      ]);
      expect(await refused({ then: [{ ...hello, channel: 'email' }] })).toEqual([
        422,
        'automations.unsupported-action',
        '/then/0/channel',
      ]);
      expect(await refused({ then: [{ type: 'creditPoints', points: 5 }] })).toEqual([
        422,
        'automations.invalid-action',
        '/then/0/reason',
      ]);
      expect((await refused({ then: [] }))[0]).toBe(422);
      expect((await refused({ on: { segmentId, change: 'stayed' } }))[0]).toBe(422);
    });

    it('is refused where a segment has fifty', async () => {
      const segmentId = await define();
      for (let n = 0; n < 50; n += 1) await automate(segmentId, { active: false });
      const on = { segmentId, change: 'left' };
      const { status, body } = await call('POST', '/automations', { on, then: [credit], active: false });
      expect([status, body['code'], body['automationsOnSegmentMax']]).toEqual([
        409,
        'automations.too-many',
        50,
      ]);
    });

    it('acts once an entry, with projectors that come and go, up to its limit, and stops when it is told to', async () => {
      const segmentId = await define();
      await project();
      const automationId = await automate(segmentId, { limitPerContact: 2 });
      const contactId = await register();
      for (let round = 1; round <= 3; round += 1) {
        await enrich(contactId);
        await impoverish(contactId);
        if (round === 2) {
          await stopProjecting();
          await project();
          await project();
        }
      }
      const entered = `segmentId=${segmentId}&type=SegmentEntered`;
      await eventually('all is told', async () => (await feed(entered)).length === 3);
      await eventually('it has acted', async () => (await extra(contactId)) === 10);
      const second = await register();
      const { position } = await enrich(second);
      await eventually('it has acted', async () => (await extra(second)) === 5);
      expect(await extra(contactId)).toBe(10);
      const messages = await done('GET', `/contacts/${contactId}/messages?minPosition=${String(position)}`);
      expect(messages.items.map(({ data }) => data)).toEqual([
        expect.objectContaining({ body: 'You are in.', subject: 'Hello', automation: expect.anything() }),
        expect.objectContaining({ body: 'You are in.' }),
      ]);
      expect(messages.items[0]!['actor']).toEqual({ id: automationId, role: 'system' });
      await done('PATCH', `/automations/${automationId}`, { active: false });
      const third = await register();
      await enrich(third);
      await eventually('it is told', async () => (await feed(`${entered}&contactId=${third}`)).length === 1);
      const other = await automate(segmentId, { then: [{ ...credit, points: 1 }] });
      const fourth = await register();
      await enrich(fourth);
      await eventually('the other one has acted', async () => (await extra(fourth)) === 1);
      expect(await extra(third)).toBe(0);
      await done('DELETE', `/automations/${other}`);
    });
  });

  describe('a reward for members', () => {
    const offer = async (segmentId: string | null): Promise<string> =>
      String(
        (
          await done('POST', '/rewards', {
            title: 'A coffee',
            price: { pool: 'main', points: 1 },
            redemptionType: 'inStore',
            stock: 5,
            segmentId,
          })
        )['rewardId'],
      );
    const redeem = (contactId: string, rewardId: string) =>
      call('POST', `/contacts/${contactId}/redemptions`, { rewardId });

    it('has to name a segment that exists', async () => {
      const terms = { title: 'x', price: { pool: 'main', points: 1 }, redemptionType: 'inStore' };
      const { status, body } = await call('POST', '/rewards', { ...terms, segmentId: randomUUID() });
      expect([status, body['errors']]).toMatchObject([422, [{ pointer: '/segmentId' }]]);
      const rewardId = await offer(null);
      expect((await call('PATCH', `/rewards/${rewardId}`, { segmentId: randomUUID() })).status).toBe(422);
      await done('PATCH', `/rewards/${rewardId}`, { segmentId: await define({ manual: true }) });
    });

    it('is refused to others, and theirs by the very command that makes them members, though the read model stands still', async () => {
      const segmentId = await define();
      const rewardId = await offer(segmentId);
      const contactId = await register();
      await enrich(contactId, 50);
      const refused = await redeem(contactId, rewardId);
      expect([refused.status, refused.body['code'], refused.body['segmentId']]).toEqual([
        409,
        'rewards.not-in-segment',
        segmentId,
      ]);
      await stopProjecting();
      await enrich(contactId, 50);
      const redeeming = redeem(contactId, rewardId);
      await sleep(100);
      await project();
      const { status, body } = await redeeming;
      expect([status, body['balance']]).toEqual([201, 99]);
      const { remaining } = await done('GET', `/rewards/${rewardId}?minPosition=${String(body['position'])}`);
      expect(remaining).toBe(4);
      // 99 points are too few.
      expect((await redeem(contactId, rewardId)).body['code']).toBe('rewards.not-in-segment');
    });

    it('is nobody’s when nobody knows in time who is in, and can be had later', async () => {
      const segmentId = await define();
      const rewardId = await offer(segmentId);
      const contactId = await register();
      await stopProjecting();
      await enrich(contactId);
      const { status, body } = await ask('POST', `/contacts/${contactId}/redemptions`, { rewardId });
      expect([status, body['code']]).toEqual([503, 'segments.behind']);
      await project();
      expect((await redeem(contactId, rewardId)).status).toBe(201);
    });

    it('ends with the membership, by the clock alone', async () => {
      const segmentId = await define({ manual: true });
      const rewardId = await offer(segmentId);
      const contactId = await register();
      await enrich(contactId);
      // Long enough to redeem before, on a slow machine, too.
      const expiresAt = new Date(Date.now() + 5_000).toISOString();
      await done('PUT', `/contacts/${contactId}/segments/${segmentId}`, { mode: 'include', expiresAt });
      const { status, body } = await redeem(contactId, rewardId);
      expect(status).toBe(201);
      await done('GET', `/contacts/${contactId}?minPosition=${String(body['position'])}`);
      await stopProjecting();
      await eventually('it has expired', () => new Date().toISOString() > expiresAt);
      expect((await redeem(contactId, rewardId)).body['code']).toBe('rewards.not-in-segment');
    });

    it('is nobody’s while the segment is not active', async () => {
      const segmentId = await define();
      const rewardId = await offer(segmentId);
      const contactId = await register();
      await enrich(contactId);
      await done('PATCH', `/segments/${segmentId}`, { active: false });
      const { status, body } = await redeem(contactId, rewardId);
      expect([status, body['code']]).toEqual([409, 'rewards.segment-not-active']);
    });
  });
});
