import { randomUUID } from 'node:crypto';
import { startDeployment, type Answer, type Deployment, type RunningSystem } from './running-system';

/** Two api processes, each with its own cache of folded state, on the same contacts and rewards. */
describe('two api processes', () => {
  let deployment: Deployment;
  let a: RunningSystem;
  let b: RunningSystem;

  beforeAll(async () => {
    deployment = await startDeployment();
    [a, b] = deployment.apis;
  });
  afterAll(() => deployment.dispose());

  const register = async (profile: object = {}): Promise<string> => {
    const { status, body } = await a.call('POST', '/v1/contacts', { body: { profile } });
    expect(status).toBe(201);
    return String(body['contactId']);
  };
  const move = (
    api: RunningSystem,
    contactId: string,
    what: 'credits' | 'debits',
    points: number,
    headers: Record<string, string> = {},
  ): Promise<Answer> =>
    api.call('POST', `/v1/contacts/${contactId}/points/${what}`, {
      body: { points, reason: 'test' },
      headers,
    });
  const statuses = (answers: readonly Answer[]): number[] => answers.map(({ status }) => status);
  const successes = (answers: readonly Answer[]): Answer[] => answers.filter(({ status }) => status < 300);

  it('refuse nothing because of what the other did', async () => {
    const contactId = await register();
    for (let round = 0; round < 20; round += 1) {
      const [first, second] = round % 2 === 0 ? [a, b] : [b, a];
      // The second has cached a balance of 0 in the round before.
      expect(await move(first, contactId, 'credits', 10)).toMatchObject({
        status: 201,
        body: { balance: 10 },
      });
      expect(await move(second, contactId, 'debits', 10)).toMatchObject({
        status: 201,
        body: { balance: 0 },
      });
      expect((await move(first, contactId, 'debits', 1)).status).toBe(409);
    }
  });

  it('know each other by If-Match', async () => {
    const contactId = await register();
    const first = await move(a, contactId, 'credits', 10);
    const etag = String(first.headers.get('etag'));
    expect((await move(b, contactId, 'credits', 10, { 'if-match': etag })).status).toBe(201);
    expect((await move(a, contactId, 'credits', 10, { 'if-match': etag })).status).toBe(412);
    expect((await move(b, contactId, 'credits', 10, { 'if-match': etag })).status).toBe(412);
  });

  it('answer a retry with the first answer, whoever gave it', async () => {
    const contactId = await register();
    const headers = { 'idempotency-key': randomUUID() };
    const storm = await Promise.all(
      Array.from({ length: 20 }, (_, n) => move(n % 2 ? a : b, contactId, 'credits', 5, headers)),
    );
    for (const answer of storm) expect(answer).toMatchObject({ status: 201, body: storm[0]!.body });
    expect(storm.filter(({ headers: h }) => h.get('idempotency-replayed') === null)).toHaveLength(1);
    expect(await move(b, contactId, 'credits', 1)).toMatchObject({ body: { balance: 6 } });
  });

  it('record one purchase for one invoice', async () => {
    const contactId = await register();
    const purchase = (api: RunningSystem, minor: number): Promise<Answer> =>
      api.call('POST', `/v1/contacts/${contactId}/purchases`, {
        body: { invoiceNumber: 'I-1', amount: { minor, currency: 'EUR' } },
      });
    const [first, second] = await Promise.all([purchase(a, 1250), purchase(b, 1250)]);
    expect(statuses([first, second])).toEqual([201, 201]);
    expect(second.body).toEqual(first.body);
    expect((await purchase(b, 1300)).status).toBe(409);
  });

  it('never let a balance below zero', async () => {
    const contactId = await register();
    await move(a, contactId, 'credits', 100);
    const debits = await Promise.all(
      Array.from({ length: 30 }, (_, n) => move(n % 2 ? a : b, contactId, 'debits', 10)),
    );
    expect(successes(debits)).toHaveLength(10);
    for (const { status } of debits) expect([201, 409]).toContain(status);
    expect(await move(a, contactId, 'credits', 1)).toMatchObject({ body: { balance: 1 } });
  });

  it('give an e-mail to one contact', async () => {
    const email = `${randomUUID()}@example.org`;
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        (n % 2 ? a : b).call('POST', '/v1/contacts', { body: { profile: { email } } }),
      ),
    );
    expect(successes(answers)).toHaveLength(1);
    for (const { status } of answers) expect([201, 409]).toContain(status);
  });

  it('do not register a second person for a retry', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const body = { profile: { email: `${randomUUID()}@example.org` } };
    const first = await a.call('POST', '/v1/contacts', { body, headers });
    const again = await b.call('POST', '/v1/contacts', { body, headers });
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });

  it('never oversell a reward', async () => {
    const created = await a.call('POST', '/v1/rewards', {
      body: { title: 'Mug', price: { pool: 'main', points: 10 }, stock: 5, redemptionType: 'inStore' },
    });
    expect(created.status).toBe(201);
    const { rewardId } = created.body;
    const contacts = await Promise.all(Array.from({ length: 12 }, () => register()));
    await Promise.all(contacts.map((contactId) => move(a, contactId, 'credits', 10)));
    const redeem = (api: RunningSystem, contactId: string): Promise<Answer> =>
      api.call('POST', `/v1/contacts/${contactId}/redemptions`, { body: { rewardId } });
    const answers = await Promise.all(contacts.map((contactId, n) => redeem(n % 2 ? a : b, contactId)));
    expect(successes(answers)).toHaveLength(5);
    for (const { status } of answers) expect([201, 409]).toContain(status);

    // A piece that comes back is taken again, once.
    const taken = successes(answers)[0]!.body;
    const holder = contacts[answers.findIndex(({ status }) => status === 201)]!;
    const cancelled = await b.call(
      'DELETE',
      `/v1/contacts/${holder}/redemptions/${String(taken['redemptionId'])}`,
    );
    expect(cancelled).toMatchObject({ status: 200, body: { balance: 10 } });
    const refused = contacts.filter((_, n) => answers[n]!.status !== 201);
    const retries = await Promise.all(refused.map((contactId, n) => redeem(n % 2 ? a : b, contactId)));
    expect(successes(retries)).toHaveLength(1);
    const position = String(successes(retries)[0]!.body['position']);
    const shown = await a.call('GET', `/v1/rewards/${String(rewardId)}?minPosition=${position}`);
    expect(shown).toMatchObject({ status: 200, body: { stock: 5, remaining: 0 } });
  });
});
