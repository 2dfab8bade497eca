import { randomBytes, randomUUID } from 'node:crypto';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@app/testing';
import { openCheckpoint, parseKeyFile, verifyConsistency, type VerifierKey } from '@app/transparency-log';
import { SeededRandom } from '../../apps/ops/src/demo/seeded-random';
import { newDataDir, RunningSystem, runToEnd, type Answer } from './running-system';

/** How often everything is killed at once; KILLS=50 is the full size. The seed of a run is printed, KILLS_SEED repeats it. */
const KILLS = Number(process.env['KILLS'] ?? 8);
const SEED = Number(process.env['KILLS_SEED'] ?? randomBytes(4).readUInt32LE());
const CONTACTS_A_ROUND = 4;
const LIFE_MIN_MS = 300;
const LIFE_SPREAD_MS = 1_700;
/** Until the automation takes over what a killed process has left, and is done. */
const TAKEN_OVER_WITHIN_MS = 300_000;

jest.setTimeout(600_000 + KILLS * 60_000);

type Body = Record<string, unknown>;
type Contact = {
  readonly contactId: string;
  sent: number;
  asked: boolean;
  /** Where in the log its erasure began. */ fence?: string;
};
type Command = Readonly<{ method: string; path: string; body?: object; key: string; of: Contact }>;

describe('everything that is killed again and again', () => {
  const seeded = new SeededRandom(String(SEED));
  const random = (): number => seeded.next();
  const dataDir = newDataDir();
  const witness = join(dataDir, 'witness');
  let system: RunningSystem;
  afterAll(async () => {
    await system?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  /** What was answered, by the request's id: each must have an entry. */
  const told = new Map<string, string>();
  const contacts: Contact[] = [];
  /** What was sent and not answered: it is sent again, with the same key. */
  const open: Command[] = [];
  const checkpoints = new Map<number, string>();
  const seen = { answered: 0, cut: 0, erasures: 0 };

  /** Undefined: the process was killed before it had answered. */
  const ask = async (
    method: string,
    path: string,
    body?: object,
    key?: string,
  ): Promise<Answer | undefined> => {
    try {
      const headers = key === undefined ? {} : { 'idempotency-key': key };
      const answer = await system.call(method, path, { ...(body && { body }), headers });
      seen.answered += 1;
      return answer;
    } catch {
      seen.cut += 1;
      return undefined;
    }
  };
  const note = ({ headers, status }: Answer, what: string): void =>
    void told.set(String(headers.get('x-request-id')), `${what}: ${status}`);

  const send = async (command: Command): Promise<void> => {
    const { method, path, body, key, of } = command;
    const answer = await ask(method, path, body, key);
    if (answer === undefined || answer.status === 503) return void open.push(command);
    note(answer, `${method} ${path}`);
    if (method !== 'DELETE') {
      // What was cut may have been recorded before the fence, and is refused behind it like everything else.
      const taken = answer.status === 201;
      if (!taken) expect([method, path, answer.status, of.asked]).toEqual([method, path, 410, true]);
      if (path === '/v1/contacts') contacts.push(of);
      return;
    }
    expect([202, 410]).toContain(answer.status);
    // A 410: what was cut had begun it, and is complete by now.
    of.fence = String(answer.body['position'] ?? 0);
    seen.erasures += 1;
  };

  const any = (): Contact => contacts[Math.floor(random() * contacts.length)] as Contact;
  const deeds: readonly (() => Promise<void>)[] = [
    async () => {
      const contact = { contactId: randomUUID(), sent: 0, asked: false };
      const profile = { firstName: 'Killed', email: `${contact.contactId}@example.org` };
      const body = { contactId: contact.contactId, profile };
      await send({ method: 'POST', path: '/v1/contacts', body, key: randomUUID(), of: contact });
    },
    async () => {
      const of = any();
      if (of.asked) return;
      const points = 1 + Math.floor(random() * 9);
      of.sent += points;
      const body = { points, reason: 'gift', note: 'for a kill' };
      const path = `/v1/contacts/${of.contactId}/points/credits`;
      await send({ method: 'POST', path, body, key: randomUUID(), of });
    },
    async () => {
      const { contactId, fence } = any();
      const answer = await ask('GET', `/v1/contacts/${contactId}?minPosition=${fence ?? 0}`);
      if (answer === undefined || answer.status === 503) return;
      note(answer, 'GET');
      if (fence !== undefined) expect([contactId, answer.status]).toEqual([contactId, 410]);
    },
    async () => {
      const answer = await ask('GET', '/v1/contacts?limit=20');
      if (answer?.status === 200) note(answer, 'list');
    },
    async () => {
      const of = any();
      if (of.asked || contacts.length < 3) return;
      of.asked = true;
      await send({ method: 'DELETE', path: `/v1/contacts/${of.contactId}`, key: randomUUID(), of });
    },
    async () => {
      const answer = await ask('GET', '/v1/privacy-log/checkpoint');
      if (answer?.status === 200) keep(String(answer.body['text']));
    },
  ];
  const keep = (checkpoint: string): void => {
    const size = Number(checkpoint.split('\n')[1]);
    const before = checkpoints.get(size);
    // Two of one size have one root: the lines of a note before its signature.
    if (before !== undefined)
      expect(checkpoint.split('\n').slice(0, 3)).toEqual(before.split('\n').slice(0, 3));
    checkpoints.set(size, checkpoint);
  };

  const start = async (): Promise<void> => {
    system = await RunningSystem.start({ dataDir, environment: { PRIVACY_WITNESS: witness } });
  };

  /** Several at once, until it was killed under them. */
  const live = async (): Promise<void> => {
    const again = open.splice(0);
    let over = false;
    const worker = async (first: readonly Command[]): Promise<void> => {
      for (const command of first) await send(command);
      while (!over) await (deeds[Math.floor(random() * deeds.length)] as () => Promise<void>)();
    };
    const workers = [0, 1, 2, 3].map((n) => worker(again.filter((_, at) => at % 4 === n)));
    const ended = Promise.all(workers);
    ended.catch(() => undefined);
    await sleep(LIFE_MIN_MS + random() * LIFE_SPREAD_MS);
    // In the middle of whatever it does.
    const kill = system.kill();
    over = true;
    await Promise.all([kill, ended]);
  };

  it('keeps what it has answered: erasures, commands, entries, and every checkpoint', async () => {
    console.log(`KILLS=${KILLS} KILLS_SEED=${SEED}`);
    await start();
    for (let n = 0; n < CONTACTS_A_ROUND; n += 1) await (deeds[0] as () => Promise<void>)();
    for (let round = 0; round < KILLS; round += 1) {
      await live();
      await start();
    }
    await eventually('what was cut is answered', async () => {
      for (const command of open.splice(0)) await send(command);
      return open.length === 0;
    });
    expect(seen.cut).toBeGreaterThan(0);

    const erased = contacts.filter(({ fence }) => fence !== undefined);
    expect(erased.length).toBeGreaterThan(0);
    const waiting = new Set(erased.map(({ contactId }) => contactId));
    await eventually(
      'every erasure is complete',
      async () => {
        for (const contactId of waiting) {
          const { status, body } = await system.call('GET', `/v1/contacts/${contactId}/erasure`);
          if (status !== 200 || body['state'] !== 'completed') return false;
          expect(body['receipt']).toMatchObject({ contactId, stage: 'purged' });
          waiting.delete(contactId);
        }
        return true;
      },
      TAKEN_OVER_WITHIN_MS,
    );
    const marker = await system.call('POST', '/v1/contacts', { body: { profile: {} } });
    note(marker, 'marker');
    const asOf = `minPosition=${String(marker.body['position'])}`;
    for (const { contactId, fence, sent } of contacts) {
      const { status, body } = await system.call('GET', `/v1/contacts/${contactId}?${asOf}`);
      expect([contactId, status]).toEqual([contactId, fence === undefined ? 200 : 410]);
      if (fence === undefined)
        expect([contactId, (body['balances'] as Body)['main'] ?? 0]).toEqual([contactId, sent]);
    }

    const missing = new Map(told);
    let cursor = '';
    do {
      const { body } = await system.call('GET', `/v1/privacy-log?limit=500&${asOf}${cursor}`);
      for (const { correlationId } of body['items'] as { correlationId: string }[])
        missing.delete(correlationId);
      cursor = body['nextCursor'] === null ? '' : `&cursor=${String(body['nextCursor'])}`;
    } while (cursor !== '');
    expect([...missing.values()]).toEqual([]);

    await verify();
    console.log(
      `${seen.answered} answered, ${seen.cut} cut, ${seen.erasures} erasures, ${checkpoints.size} checkpoints`,
    );
  });

  const verify = async (): Promise<void> => {
    const { body: keyFile } = await system.call('GET', '/v1/privacy-log/keys');
    const keyText = String(keyFile['text']);
    const [key] = parseKeyFile(keyText) as readonly VerifierKey[];
    const largest = Math.max(...checkpoints.keys());
    let newest: Readonly<{ size: number; root: Buffer }> = { size: 0, root: Buffer.alloc(0) };
    await eventually('a checkpoint of all of it is signed', async () => {
      const { body } = await system.call('GET', '/v1/privacy-log/checkpoint');
      keep(String(body['text']));
      newest = openCheckpoint(String(body['text']), key as VerifierKey);
      return newest.size > largest;
    });
    for (const checkpoint of checkpoints.values()) {
      const { size, root } = openCheckpoint(checkpoint, key as VerifierKey);
      if (size === newest.size) continue;
      const { status, body } = await system.call(
        'GET',
        `/v1/privacy-log/proofs/consistency?from=${size}&to=${newest.size}`,
      );
      expect(status).toBe(200);
      const proof = (body['hashes'] as string[]).map((hash) => Buffer.from(hash, 'base64'));
      expect([
        size,
        verifyConsistency({ from: size, to: newest.size, fromRoot: root, toRoot: newest.root, proof }),
      ]).toEqual([size, true]);
    }
    const file = (name: string): string => join(dataDir, name);
    writeFileSync(file('log.keys'), keyText);
    writeFileSync(file('checkpoints'), [...checkpoints.values()].join('\n'));
    // As auditors do: what the witness has before the log is taken from us. Taking it leaves entries, which are signed, too.
    const witnessed = file('witnessed');
    copyFileSync(witness, witnessed);
    const of = ['--url', system.url];
    const environment = { REGULARS_DATA_DIR: dataDir };
    const exported = await runToEnd('ops', ['export-privacy-log', file('log'), ...of], environment);
    expect(exported).toMatchObject({ code: 0 });
    for (const kept of [file('checkpoints'), witnessed]) {
      const args = ['verify-privacy-log', file('log'), '--key', file('log.keys'), '--checkpoints', kept];
      const { code, output } = await runToEnd('ops', args, environment);
      expect([kept, code, code === 0 ? '' : output]).toEqual([kept, 0, '']);
    }
    const running = await runToEnd(
      'ops',
      ['verify-privacy-log', '--key', file('log.keys'), ...of],
      environment,
    );
    expect([running.code, running.code === 0 ? '' : running.output]).toEqual([0, '']);
    // The witness was told of nothing that was not signed, whenever it was cut.
    expect(readFileSync(witness, 'utf8').length).toBeGreaterThan(0);
  };
});
