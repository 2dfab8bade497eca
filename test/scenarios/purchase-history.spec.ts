import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@app/testing';
import { CDNOW, isCdnowThere } from '../cdnow/cdnow-file';
import { COUNTED_RULES, INSTANTS, PROGRAMME } from '../cdnow/counted-rules';
import { newDataDir, runBeside, RunningSystem, runToEnd } from './running-system';

/** Which part of the history is loaded once more at the end, from its first line on; LOADED_TWICE=1 is all of it. */
const LOADED_TWICE = Number(process.env['LOADED_TWICE'] ?? 0.2);
const HANGS_AFTER_MS = 3_600_000;

type Figures = Readonly<{ contacts: number; purchases: number; minor: number }>;
type History = Readonly<{ text: string; figures: Figures }>;

const cdnow = async (): Promise<History> => ({
  text: await readFile(CDNOW, 'utf8'),
  figures: { contacts: 23_570, purchases: 69_659, minor: 250_031_563 },
});

/** Where the CDNOW file is missing: customers with one to four purchases each, some of them alike to the letter, some of value 0. */
const sampleHistory = (customers: number): History => {
  const lines = ['Customer_ID  Date     Num_CDs  Dollar_value'];
  let purchases = 0;
  let minor = 0;
  for (let customer = 1; customer <= customers; customer += 1) {
    for (let n = 0; n <= customer % 4; n += 1) {
      const cents = customer % 10 === 0 ? 0 : (customer * 137 + (n === 1 ? 0 : n) * 250) % 20_000;
      const day = String(1 + ((customer + (n === 1 ? 0 : n)) % 28)).padStart(2, '0');
      const amount = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`;
      lines.push(` ${String(customer).padStart(5, '0')} 199702${day}  1  ${amount.padStart(6)}`);
      purchases += 1;
      minor += cents;
    }
  }
  return { text: `${lines.join('\r\n')}\r\n`, figures: { contacts: customers, purchases, minor } };
};

/** Rules that are kept as segments, one found by the document store, one that the clock can change, one that needs the history. */
const KEPT = [
  'average from 10.00 to 20.00',
  'regulars who have not come back',
  'last purchase of 50.00 or more',
];

describe('loading a purchase history over HTTP', () => {
  const load = (system: RunningSystem, file: string): string[] => [
    'load-purchases',
    file,
    '--url',
    system.url,
    '--key',
    system.adminKey,
    // Not by the name of the file: a part of it is the same history.
    '--namespace',
    'history',
  ];

  /** Of the newest thing that happened to any contact. Reads and repeated commands leave entries in the privacy log only. */
  const newestPosition = async (system: RunningSystem): Promise<string> => {
    await eventually(
      'everything is folded',
      async () => {
        const { body } = await system.call('GET', '/health/ready');
        return body['lag'] === '0';
      },
      HANGS_AFTER_MS,
    );
    const { body } = await system.call('GET', '/v1/activity?limit=1');
    return (body['items'] as { position: string }[])[0]?.position ?? '0';
  };

  /** Answers the newest position, so that it can be seen whether anything has changed since. */
  const agree = async (system: RunningSystem, { contacts, purchases, minor }: Figures): Promise<string> => {
    const newest = await newestPosition(system);
    const { body: figures } = await system.call('GET', `/v1/contacts/summary?minPosition=${newest}`);
    expect(figures).toMatchObject({ total: contacts, purchases, spend: { USD: minor } });
    const list = await system.call('GET', '/v1/contacts?count=true&limit=1&sort=-spend.USD');
    expect(list.body).toMatchObject({ total: contacts });
    return newest;
  };

  const agreeOnTheLargest = async (system: RunningSystem): Promise<void> => {
    const { body } = await system.call('GET', '/v1/contacts?limit=1&sort=-spend.USD');
    const [largest] = body['items'] as { contactId: string; spend: { USD: number } }[];
    expect(largest?.spend.USD).toBe(1_399_093);
    const details = await system.call('GET', `/v1/contacts/${largest?.contactId}`);
    expect(details.body).toMatchObject({ spend: { USD: 1_399_093 } });
  };

  /** Each rule at one of the instants, in turn. */
  const agreeInThePast = async (system: RunningSystem): Promise<void> => {
    const found: Record<string, unknown> = {};
    const expected: Record<string, unknown> = {};
    for (const [n, { name, rule, counts }] of COUNTED_RULES.entries()) {
      const instant = n % INSTANTS.length;
      const asOf = INSTANTS[instant];
      const body = { rule, asOf, axis: 'occurred', sample: 0 };
      const preview = await system.call('POST', '/v1/segments/preview', { body });
      found[`${name}, ${asOf}`] = preview.body['count'] ?? preview.body;
      expected[`${name}, ${asOf}`] = counts[instant];
    }
    expect(found).toEqual(expected);
  };

  const agreeAsSegments = async (system: RunningSystem): Promise<void> => {
    for (const { name, rule, sinceThen } of COUNTED_RULES.filter((one) => KEPT.includes(one.name))) {
      const defined = await system.call('POST', '/v1/segments', { body: { name, rule } });
      expect(defined.status).toBe(201);
      const { segmentId, position } = defined.body;
      const path = `/v1/segments/${String(segmentId)}`;
      await eventually('the segment is filled', async () => {
        const { body } = await system.call('GET', `${path}?minPosition=${String(position)}`);
        return body['status'] === 'active';
      });
      const { body } = await system.call('GET', `${path}/count`);
      expect([name, body['count']]).toEqual([name, sinceThen]);
    }
  };

  it(
    'survives a kill in the middle, goes on, agrees to the cent, and changes nothing the second time',
    async () => {
      const dataDir = newDataDir();
      const { text, figures } = isCdnowThere ? await cdnow() : sampleHistory(600);
      const file = join(dataDir, 'history.txt');
      writeFileSync(file, text);

      let system = await RunningSystem.start({ dataDir });
      expect(await system.call('PUT', '/v1/programme', { body: PROGRAMME })).toMatchObject({ status: 200 });
      const first = runBeside(load(system, file));
      // Of what is loaded twice, some was before the kill and some behind it.
      await eventually(
        'some contacts are there',
        async () => {
          await sleep(100);
          const { body } = await system.call('GET', '/v1/contacts/summary');
          return Number(body['total']) >= (figures.contacts * LOADED_TWICE) / 2;
        },
        HANGS_AFTER_MS,
      );
      await system.kill();
      first.child.kill('SIGKILL');
      await first.ended;

      system = await RunningSystem.start({ dataDir });
      const second = await runToEnd('ops', load(system, file));
      expect(second).toMatchObject({ code: 0 });
      expect(second.output).not.toMatch(/already there: 0 /);
      const position = await agree(system, figures);
      if (isCdnowThere) {
        await agreeOnTheLargest(system);
        await agreeInThePast(system);
        await agreeAsSegments(system);
      }

      const again = join(dataDir, 'again.txt');
      const lines = text.split('\n');
      writeFileSync(again, lines.slice(0, Math.ceil(lines.length * LOADED_TWICE)).join('\n'));
      const third = await runToEnd('ops', load(system, again));
      expect(third).toMatchObject({ code: 0 });
      expect(third.output).toContain('New: 0 contacts, 0 purchases;');
      expect(await agree(system, figures)).toBe(position);
      await system.dispose();
    },
    HANGS_AFTER_MS,
  );
});
