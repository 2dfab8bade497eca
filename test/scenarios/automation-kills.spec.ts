import { randomBytes, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@app/testing';
import { SeededRandom } from '../../apps/ops/src/demo/seeded-random';
import { newDataDir, RunningSystem, type Answer } from './running-system';

/** How often the process is killed; the seed of a run is printed, KILLS_SEED repeats it. */
const KILLS = Number(process.env['KILLS'] ?? 3);
const SEED = Number(process.env['KILLS_SEED'] ?? randomBytes(4).readUInt32LE());
const CONTACTS = 4;
const LIFE_MS = 1_500;
const DONE_WITHIN_MS = 120_000;
const [WELCOME, FAREWELL] = [1_000, 1];

jest.setTimeout(300_000 + KILLS * 30_000);

type Contact = { readonly contactId: string; at: string; isIn: boolean; entered: number; left: number };

describe('automations, killed between an entry and what they do for it', () => {
  const seeded = new SeededRandom(String(SEED));
  const random = (): number => seeded.next();
  const dataDir = newDataDir();
  const contacts: Contact[] = [];
  let system: RunningSystem;
  let segmentId = '';

  afterAll(async () => {
    await system?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const start = async (): Promise<void> => {
    system = await RunningSystem.start({ dataDir });
  };
  const done = async (
    method: string,
    path: string,
    body?: object,
    key: string = randomUUID(),
  ): Promise<Answer> => {
    const call = { ...(body && { body }), headers: method === 'GET' ? {} : { 'idempotency-key': key } };
    const answer = await system.call(method, `/v1${path}`, call);
    expect([path, answer.status < 300, answer.body['detail']]).toEqual([path, true, undefined]);
    return answer;
  };

  const tagsOf = (isIn: boolean): object => ({ profile: { tags: isIn ? ['vip'] : [] } });
  const register = async (isIn: boolean): Promise<Contact> => {
    const { body } = await done('POST', '/contacts', tagsOf(isIn));
    return { contactId: String(body['contactId']), at: String(body['position']), isIn, entered: 0, left: 0 };
  };
  /** Comes or goes; what was cut is sent again with the same key when the process is up again. */
  const turn = async (contact: Contact, key: string): Promise<void> => {
    const { body } = await done('PATCH', `/contacts/${contact.contactId}`, tagsOf(!contact.isIn), key);
    contact.at = String(body['position']);
    contact.isIn = !contact.isIn;
    if (contact.isIn) contact.entered += 1;
    else contact.left += 1;
  };

  const balanceOf = async ({ contactId, at }: Contact): Promise<number> => {
    const { body } = await done('GET', `/contacts/${contactId}?minPosition=${at}`);
    return (body['balances'] as Record<string, number>)['main'] ?? 0;
  };
  const messagesOf = async ({ contactId, at }: Contact): Promise<number> => {
    const { body } = await done('GET', `/contacts/${contactId}/messages?limit=500&minPosition=${at}`);
    return (body['items'] as unknown[]).length;
  };
  const owed = ({ entered, left }: Contact): number => entered * WELCOME + left * FAREWELL;

  /** What is announced is acted on in order: once the last one's is done, all are. */
  const settled = async (): Promise<void> => {
    const last = await register(false);
    await turn(last, randomUUID());
    await eventually(
      'the last entry is acted on',
      async () => (await messagesOf(last)) === 1,
      DONE_WITHIN_MS,
    );
    contacts.push(last);
    await eventually(
      'everybody has what is owed',
      async () => {
        const balances = await Promise.all(contacts.map(balanceOf));
        return balances.every((balance, n) => balance >= owed(contacts[n] as Contact));
      },
      DONE_WITHIN_MS,
    );
  };
  const expectOnce = async (): Promise<void> => {
    for (const contact of contacts) {
      expect([contact, await balanceOf(contact)]).toEqual([contact, owed(contact)]);
      expect([contact, await messagesOf(contact)]).toEqual([contact, contact.entered]);
    }
  };

  /** Everybody comes and goes at once until the process is killed under them. */
  const live = async (): Promise<void> => {
    let over = false;
    const pending = new Map<Contact, string>();
    const worker = async (contact: Contact): Promise<void> => {
      while (!over) {
        const key = randomUUID();
        pending.set(contact, key);
        await turn(contact, key);
        pending.delete(contact);
        await sleep(random() * 300);
      }
    };
    const workers = Promise.allSettled(contacts.map(worker));
    await sleep(random() * LIFE_MS);
    const kill = system.kill();
    over = true;
    await Promise.all([kill, workers]);
    await start();
    for (const [contact, key] of pending) await turn(contact, key);
  };

  it('act once for each, never on a first fill, and never again when all is built anew', async () => {
    console.log(`KILLS=${KILLS} KILLS_SEED=${SEED}`);
    await start();
    for (let n = 0; n < CONTACTS; n += 1) contacts.push(await register(n % 2 === 0));
    const rule = { attr: 'tags', op: 'hasAny', value: ['vip'] };
    const { body } = await done('POST', '/segments', { name: 'VIP', rule });
    segmentId = String(body['segmentId']);
    const on = (change: string): object => ({ segmentId, change });
    const credit = (points: number): object => ({ type: 'creditPoints', points, reason: 'vip' });
    const hello = { type: 'sendMessage', channel: 'inbox', purpose: 'service', body: 'Welcome.' };
    await done('POST', '/automations', { on: on('entered'), then: [credit(WELCOME), hello], active: true });
    await done('POST', '/automations', { on: on('left'), then: [credit(FAREWELL)], active: true });
    await done('GET', `/segments/${segmentId}?minPosition=${String(body['position'])}`);
    await settled();
    await expectOnce();

    for (let round = 0; round < KILLS; round += 1) await live();
    await settled();
    await expectOnce();
    const entered = contacts.reduce((sum, contact) => sum + contact.entered, 0);
    expect(entered).toBeGreaterThan(2);

    await system.kill();
    rmSync(join(dataDir, 'mongodb'), { recursive: true });
    await start();
    await settled();
    await expectOnce();
    console.log(`${entered} entries, each acted on once`);
  });
});
