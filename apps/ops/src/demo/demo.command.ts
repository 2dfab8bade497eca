import type { Config } from '@app/config';
import { Command, Option } from 'commander';
import { connectionOf, withConnectionOptions, type Connection, type ConnectionOptions } from '../connection';
import { Lanes } from '../lanes';
import { OpsError } from '../ops.errors';
import { integer } from '../option-values';
import { startProgress } from '../progress';
import { RegularsApi } from '../regulars-api';
import {
  contactRequests,
  demoContactId,
  HISTORY_MS,
  PROGRAMME,
  rewardRequests,
  type DemoReward,
} from './demo-plan';

type Options = ConnectionOptions & Readonly<{ contacts: number; seed: number }>;

const IN_FLIGHT = 32;
const PATIENCE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Idempotency keys are remembered for 24 hours; an hour is kept for the run itself. */
const REPEATABLE_MS = 23 * HOUR_MS;

export const demoCommand = (config: Config): Command =>
  withConnectionOptions(
    new Command('demo')
      .summary('fill a running instance with made-up, lifelike data')
      .description(
        'Fills a running instance with made-up contacts and a year of what they did, through the HTTP API. It also sets ' +
          'the earning programme and adds a few rewards.\n\nThe same seed gives the same data. Within a day it is safe to ' +
          'run again, to go on after a break or with more contacts; after that it leaves the instance as it is.',
      )
      .addOption(
        new Option('--contacts <n>', 'how many contacts').default(1_000).argParser(integer(1, 1_000_000)),
      )
      .addOption(new Option('--seed <n>', 'which data').default(1).argParser(integer(0, 999_999_999))),
    config,
  ).action(async (options: Options) => {
    const connection = connectionOf(options, config);
    const api = new RegularsApi(connection, { connections: IN_FLIGHT, patienceMs: PATIENCE_MS });
    try {
      await fill(api, options);
    } finally {
      await api.close();
    }
    console.log(whatToLookAt(connection, options.seed));
  });

const fill = async (api: RegularsApi, { contacts, seed }: Options): Promise<void> => {
  const until = await endOfHistory(api, seed);
  // The first contact tells a later run when this one's year ended, so it comes before everything else.
  const [registration] = contactRequests(seed, 0, until, []);
  await api.send(registration!);
  await api.send(PROGRAMME);
  const rewards: DemoReward[] = [];
  for (const request of rewardRequests(seed)) {
    const { body } = await api.send<{ rewardId: string }>(request);
    const { points } = (request.body as { price: { points: number } }).price;
    rewards.push({ rewardId: body.rewardId, points });
  }
  const progress = startProgress('Contacts', contacts);
  const lanes = new Lanes(IN_FLIGHT, IN_FLIGHT);
  try {
    for (let index = 0; index < contacts; index += 1) {
      await lanes.add(String(index), async () => {
        for (const request of contactRequests(seed, index, until, rewards)) await api.send(request);
        progress.step();
      });
    }
    await lanes.drain();
  } finally {
    progress.stop();
  }
};

/** The full hour behind us, or the end that an earlier run of this seed took. */
const endOfHistory = async (api: RegularsApi, seed: number): Promise<number> => {
  const path = `/contacts/${demoContactId(seed, 0)}`;
  const { status, body } = await api.send<{ registeredAt: string }>({ method: 'GET', path }, [404, 410]);
  const now = Date.now();
  if (status === 404) return now - (now % HOUR_MS);
  const startedAt = status === 200 ? await firstRecordedAt(api, path) : 0;
  if (now - startedAt > REPEATABLE_MS) {
    throw new OpsError(
      `The demo data of seed ${seed} were loaded more than a day ago; nothing was changed. Another --seed adds more.`,
    );
  }
  return Date.parse(body.registeredAt) + HISTORY_MS;
};

const firstRecordedAt = async (api: RegularsApi, contactPath: string): Promise<number> => {
  const { body } = await api.send<{ items: readonly { recordedAt: string }[] }>({
    method: 'GET',
    path: `${contactPath}/activity?limit=500`,
  });
  return Math.min(...body.items.map(({ recordedAt }) => Date.parse(recordedAt)));
};

const whatToLookAt = ({ url, keyWord }: Connection, seed: number): string => {
  const curl = (path: string, flags = '-sg'): string =>
    `  curl ${flags} -H "Authorization: Bearer $KEY" '${url}${path}'`;
  return [
    'The instance is filled. What to look at:',
    '',
    `  KEY=${keyWord}`,
    curl('/v1/contacts?sort=-spend.EUR&limit=5'),
    curl('/v1/contacts?q=gru&sort=lastName'),
    curl('/v1/contacts/summary'),
    curl(`/v1/contacts/${demoContactId(seed, 0)}`),
    curl('/v1/activity?limit=10'),
    curl('/v1/activity/live', '-sgN'),
    '',
    `Every call, to try in a browser: ${url}/docs`,
  ].join('\n');
};
