import { Pool } from 'undici';
import { derivedId } from '../derived-id';
import { runInFlight } from './in-flight';
import type { Handlers } from './jobs';
import { DAY_MS, personOf, spread } from './made-up-person';
import { percentile } from './statistics';

/** Kept for the life of the process, so that every round meets warm connections. */
const pools = new Map<string, Pool>();
const CONNECTIONS_MAX = 256;
const SETTLE_TIMEOUT_MS = 120_000;

export const benchContactId = (index: number): string => derivedId('bench', String(index));

type Http = Readonly<{ url: string; key: string }>;
type Answer = Readonly<Record<string, unknown>>;

const send = async (
  { url, key }: Http,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: object,
): Promise<Answer> => {
  let pool = pools.get(url);
  if (!pool) pools.set(url, (pool = new Pool(url, { connections: CONNECTIONS_MAX })));
  const answer = await pool.request({
    method,
    path: `/v1${path}`,
    headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) },
    body: body ? JSON.stringify(body) : null,
  });
  const text = await answer.body.text();
  if (answer.statusCode >= 300) throw new Error(`${answer.statusCode} ${text}`);
  return JSON.parse(text) as Answer;
};

const NAMES = [
  'Anna',
  'Lena',
  'Marie',
  'Sophie',
  'Eva',
  'Lukas',
  'Jakob',
  'Paul',
  'Felix',
  'Stefan',
  'Elif',
  'Noah',
];

const registration = (index: number): object => {
  const mixed = spread(index);
  const { city, ...person } = personOf(mixed);
  return {
    contactId: benchContactId(index),
    registeredAt: new Date(Date.UTC(2025, 0, 1) + (mixed % 300) * DAY_MS).toISOString(),
    profile: {
      firstName: NAMES[mixed % NAMES.length],
      lastName: `Bench${(mixed % 9_973).toString(36)}`,
      email: `bench.${index}@example.com`,
      ...person,
      language: mixed % 5 === 0 ? 'en' : 'de',
      address: { city, country: mixed % 3 === 0 ? 'DE' : 'AT' },
    },
  };
};

/** What a contact of the fill does after it registered. */
const actions = (index: number): readonly (readonly [path: string, body: object])[] => {
  const mixed = spread(index);
  const at = `/contacts/${benchContactId(index)}`;
  const occurredAt = new Date(Date.UTC(2025, 10, 1) + (mixed % 30) * DAY_MS).toISOString();
  return [
    [
      `${at}/purchases`,
      { invoiceNumber: `bench-${index}`, amount: { minor: mixed % 50_000, currency: 'EUR' }, occurredAt },
    ],
    [`${at}/points/credits`, { points: 1 + (mixed % 500), reason: 'bench', occurredAt }],
    [`${at}/check-ins`, { checkInId: `bench-${index}`, occurredAt }],
  ];
};

const credit = (http: Http, index: number): Promise<Answer> =>
  send(http, 'POST', `/contacts/${benchContactId(index)}/points/credits`, { points: 1, reason: 'bench' });

export const runHttpJob = {
  fill: ({ contacts: { from, to }, inFlight, actions: amount, ...http }) =>
    runInFlight(inFlight, { count: to - from }, async (nth) => {
      const index = from + nth;
      await send(http, 'POST', '/contacts', registration(index));
      const all = actions(index);
      for (const [path, body] of amount === 'four' ? all : all.slice(index % 4, (index % 4) + 1)) {
        await send(http, 'POST', path, body);
      }
    }),

  credit: async ({ contacts: { from, to }, inFlight, stop, ...http }) => {
    let newest = 0n;
    const round = await runInFlight(inFlight, stop, async (nth) => {
      const { position } = await credit(http, from + (nth % (to - from)));
      const at = BigInt(position as string);
      if (at > newest) newest = at;
    });
    return { ...round, position: String(newest) };
  },

  list: ({ sort, pages, ...http }) => {
    let cursor: unknown = null;
    return runInFlight(1, { count: pages }, async () => {
      const behind = cursor === null ? '' : `&cursor=${encodeURIComponent(String(cursor))}`;
      const page = await send(http, 'GET', `/contacts?limit=50&sort=${encodeURIComponent(sort)}${behind}`);
      cursor = page['nextCursor'] ?? null;
    });
  },

  read: ({ path, times, ...http }) => runInFlight(1, { count: times }, () => send(http, 'GET', path)),

  view: ({ contacts: { from, to }, inFlight, stop, ...http }) =>
    runInFlight(inFlight, stop, (nth) =>
      send(http, 'GET', `/contacts/${benchContactId(from + (nth % (to - from)))}`),
    ),

  erase: ({ contacts: { from, to }, ...http }) =>
    runInFlight(1, { count: to - from }, async (nth) => {
      const at = `/contacts/${benchContactId(from + nth)}`;
      let erasure = await send(http, 'DELETE', at);
      const path = `${at}/erasure?minPosition=${String(erasure['position'])}`;
      while (erasure['receipt'] === undefined) erasure = await send(http, 'GET', path);
    }),

  visible: async ({ contacts: { from, to }, times, ...http }) => {
    const latencies: number[] = [];
    const round = await runInFlight(1, { count: times }, async (nth) => {
      const { position } = await credit(http, from + (nth % (to - from)));
      const answeredAt = performance.now();
      await send(http, 'GET', `/contacts?limit=1&minPosition=${String(position)}`);
      latencies.push(performance.now() - answeredAt);
    });
    return { ...round, p50Ms: percentile(latencies, 50), p99Ms: percentile(latencies, 99) };
  },

  preview: ({ rule, times, ...http }) =>
    runInFlight(1, { count: times }, () => send(http, 'POST', '/segments/preview', { rule })),

  defineSegment: async ({ name, rule, ...http }) => {
    const startedAt = performance.now();
    const defined = await send(http, 'POST', '/segments', { name, rule });
    const { segmentId, position } = defined as Readonly<Record<'segmentId' | 'position', string>>;
    await shown(http, `/segments/${segmentId}?minPosition=${position}`);
    return { ms: performance.now() - startedAt };
  },

  settle: async ({ position, ...http }) => {
    const startedAt = performance.now();
    await shown(http, `/contacts?limit=1&minPosition=${position}`);
    return { ms: performance.now() - startedAt };
  },
} satisfies Handlers;

/** Reads until the read models are so far. A read waits 5 s and then answers 503, so this asks at a slow pace by itself. */
const shown = async (http: Http, path: string): Promise<void> => {
  const startedAt = performance.now();
  for (;;) {
    try {
      await send(http, 'GET', path);
      return;
    } catch (error) {
      if (performance.now() - startedAt > SETTLE_TIMEOUT_MS) throw error;
    }
  }
};
