import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@app/testing';
import { startTestKeyService } from '../../libs/personal-data/src/transit.key-service.suite';
import {
  freePort,
  newDataDir,
  RunningSystem,
  runToEnd,
  startDeployment,
  startServer,
  type Answer,
  type Deployment,
  type RunningServer,
} from './running-system';

const UNAVAILABLE = 'personal-data.key-ring-unavailable';
/** Until another process takes over an erasure that was left, and does it. */
const TAKEN_OVER_WITHIN_MS = 300_000;

type Body = Record<string, unknown>;
type Item = Readonly<{ data: Record<string, unknown> }>;

describe('while the key ring is away', () => {
  const keysFolder = newDataDir();
  let keyServer: RunningServer;
  let deployment: Deployment;
  let api: RunningSystem;
  let other: RunningSystem;
  let projectorPort: number;

  beforeAll(async () => {
    keyServer = await startServer('documents', keysFolder);
    projectorPort = await freePort();
    deployment = await startDeployment({
      KEYRING_URL: `mongodb://${keyServer.address}/keys`,
      PROJECTOR_PORT: String(projectorPort),
    });
    [api, other] = deployment.apis;
  });
  afterAll(async () => {
    await deployment?.dispose();
    await keyServer?.kill();
    rmSync(keysFolder, { recursive: true, force: true });
  });

  const register = async (firstName: string): Promise<string> => {
    const { status, body } = await api.call('POST', '/v1/contacts', { body: { profile: { firstName } } });
    expect(status).toBe(201);
    return String(body['contactId']);
  };
  const credit = (contactId: string, note: string): Promise<Answer> =>
    api.call('POST', `/v1/contacts/${contactId}/points/credits`, {
      body: { points: 1, reason: 'gift', note },
    });
  const stateOf = async (contactId: string): Promise<Body> =>
    (await api.call('GET', `/v1/contacts/${contactId}/erasure`)).body;
  const completed = (contactId: string): Promise<void> =>
    eventually(
      'it is erased',
      async () => (await stateOf(contactId))['state'] === 'completed',
      TAKEN_OVER_WITHIN_MS,
    );
  /** What the projector says of itself. */
  const projector = async (): Promise<Readonly<{ status: number; body: Body }>> => {
    const answer = await fetch(`http://127.0.0.1:${projectorPort}/health/ready`);
    return { status: answer.status, body: (await answer.json()) as Body };
  };

  it('commands and projections stop and say why, nothing is shown or recorded as erased, and all goes on when it is back', async () => {
    const [kept, erased, leaving, asked] = (await Promise.all(
      ['Kept', 'Erased', 'Leaving', 'Asked'].map(register),
    )) as [string, string, string, string];
    const noted = await credit(kept, 'a note to be kept');
    await api.call('DELETE', `/v1/contacts/${erased}`);
    await completed(erased);
    await api.call('GET', `/v1/contacts/${kept}?minPosition=${String(noted.body['position'])}`);

    // Behind: what it has to open next is sealed under keys it has not seen.
    deployment.haltProjector();
    const names = Array.from({ length: 5 }, (_, n) => `Behind-${n}`);
    const behind = await Promise.all(names.map(register));
    await Promise.all(behind.map((contactId) => credit(contactId, 'a note in between')));
    // The fence is up; the rest waits for the read models.
    expect((await api.call('DELETE', `/v1/contacts/${leaving}`)).status).toBe(202);
    const { port } = new URL(`http://${keyServer.address}`);
    await keyServer.kill();
    deployment.resumeProjector();

    let said: Awaited<ReturnType<typeof projector>> | undefined;
    await eventually('the projector says that it waits', async () => {
      said = await projector();
      return said.status === 503 && said.body['error'] === 'KeyRingUnavailableError';
    }).catch(() => undefined);
    expect(said).toMatchObject({
      status: 503,
      body: { state: 'retrying', error: 'KeyRingUnavailableError' },
    });
    const reached = (await projector()).body['position'];
    for (const one of [api, other])
      expect(await one.call('GET', '/health/ready')).toMatchObject({
        status: 503,
        body: { ready: false, parts: { eventStore: 'up', readStore: 'up', keyRing: 'down' } },
      });
    expect((await api.call('GET', '/health/live')).status).toBe(200);

    const refusals = [
      await other.call('POST', '/v1/contacts', { body: { profile: { firstName: 'New' } } }),
      await other.call('PATCH', `/v1/contacts/${kept}`, { body: { profile: { firstName: 'New' } } }),
      await credit(kept, 'a note that is not taken'),
    ];
    for (const refused of refusals) {
      expect(refused).toMatchObject({ status: 503, body: { code: UNAVAILABLE } });
      expect(refused.headers.get('retry-after')).not.toBeNull();
    }
    // Fenced or not taken at all, but in no case carried out.
    expect([202, 503]).toContain((await api.call('DELETE', `/v1/contacts/${asked}`)).status);

    /** Of everything that is shown, what is sealed is shown as it is, or not at all. */
    const reads = async (): Promise<void> => {
      for (const one of [api, other]) {
        const details = await one.call('GET', `/v1/contacts/${kept}`);
        expect([200, 503]).toContain(details.status);
        if (details.status === 200) expect(details.body).toMatchObject({ profile: { firstName: 'Kept' } });
        const { status, body } = await one.call('GET', `/v1/contacts/${kept}/points`);
        expect([200, 503]).toContain(status);
        if (status === 200)
          expect((body['items'] as Item[]).map(({ data }) => data['note'])).toEqual(['a note to be kept']);
        const access = await one.call('GET', `/v1/contacts/${kept}/subject-access`).catch(() => null);
        const told = JSON.stringify(access?.body ?? '');
        if (access?.status === 200 && told.includes('PointsCredited')) {
          expect(told).toContain('a note to be kept');
          expect(told).toContain('Kept');
        }
        for (const contactId of [leaving, asked]) {
          const erasure = await one.call('GET', `/v1/contacts/${contactId}/erasure`);
          expect(erasure.body['receipt']).toBeUndefined();
          expect(erasure.body['unreachableAt']).toBeUndefined();
        }
        expect((await one.call('GET', `/v1/contacts/${erased}`)).status).toBe(410);
      }
    };
    await reads();
    await eventually('sealed values are given out no more', async () => {
      await reads();
      return (await api.call('GET', `/v1/contacts/${kept}/points`)).status === 503;
    });
    expect((await projector()).body).toMatchObject({ state: 'retrying', position: reached });
    for (const contactId of behind)
      expect((await api.call('GET', `/v1/contacts/${contactId}`)).status).toBe(404);

    const backAt = new Date().toISOString();
    keyServer = await startServer('documents', keysFolder, Number(port));
    await eventually(
      'all of them are ready',
      async () =>
        (await projector()).status === 200 &&
        (await api.call('GET', '/health/ready')).status === 200 &&
        (await other.call('GET', '/health/ready')).status === 200,
    );
    const marker = await other.call('POST', '/v1/contacts', { body: { profile: { firstName: 'New' } } });
    expect(marker.status).toBe(201);
    const position = String(marker.body['position']);
    for (const [n, contactId] of behind.entries()) {
      const shown = await api.call('GET', `/v1/contacts/${contactId}?minPosition=${position}`);
      expect(shown).toMatchObject({ status: 200, body: { profile: { firstName: names[n] } } });
      const points = await api.call('GET', `/v1/contacts/${contactId}/points`);
      expect((points.body['items'] as Item[]).map(({ data }) => data['note'])).toEqual(['a note in between']);
    }
    expect((await api.call('GET', `/v1/contacts/${kept}`)).body).toMatchObject({
      profile: { firstName: 'Kept' },
      balances: expect.anything(),
    });
    if ((await stateOf(asked))['state'] === undefined)
      expect((await api.call('DELETE', `/v1/contacts/${asked}`)).status).toBe(202);
    for (const contactId of [leaving, asked]) {
      await completed(contactId);
      const { receipt } = (await stateOf(contactId)) as { receipt: { keys: { destroyedAt: string }[] } };
      for (const { destroyedAt } of receipt.keys) expect(destroyedAt > backAt).toBe(true);
    }
  });
});

describe('a key service', () => {
  const dataDir = newDataDir();
  let system: RunningSystem | undefined;
  afterAll(async () => {
    await system?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('that is away keeps the system from starting, not from running; what is there is there afterwards', async () => {
    const service = await startTestKeyService();
    const settings = {
      REGULARS_KMS_URL: service.options.url,
      REGULARS_KMS_TOKEN: service.options.token,
      REGULARS_KMS_KEY: service.options.keyName,
    };
    const startInVain = async (): Promise<void> => {
      const { code, output } = await runToEnd('standalone', [], {
        REGULARS_DATA_DIR: dataDir,
        PORT: '0',
        LOG_LEVEL: 'fatal',
        ...settings,
      });
      expect(code).toBe(1);
      expect(output).toMatch(/^regulars: The key service \(REGULARS_KMS_URL\) [^\n]+\n$/);
      expect(output).not.toContain(service.options.token);
    };
    service.trouble(503, 1_000);
    await startInVain();
    service.trouble(503, 0);
    system = await RunningSystem.start({ dataDir, environment: settings });
    const contactId = randomUUID();
    const register = (body: object): Promise<Answer> =>
      (system as RunningSystem).call('POST', '/v1/contacts', { body });
    expect((await register({ contactId, profile: { firstName: 'Kept' } })).status).toBe(201);
    service.trouble(503, 1_000);
    expect((await register({ profile: { firstName: 'Meanwhile' } })).status).toBe(201);
    await system.stop();
    await startInVain();
    service.trouble(503, 0);
    rmSync(join(dataDir, 'mongodb'), { recursive: true });
    system = await RunningSystem.start({ dataDir, environment: settings });
    const marker = await register({ profile: {} });
    const shown = await system.call(
      'GET',
      `/v1/contacts/${contactId}?minPosition=${String(marker.body['position'])}`,
    );
    expect(shown).toMatchObject({ status: 200, body: { profile: { firstName: 'Kept' } } });
    await service.close();
  });
});
