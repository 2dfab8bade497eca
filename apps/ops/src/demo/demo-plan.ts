import { derivedId } from '../derived-id';
import type { ApiRequest } from '../regulars-api';
import { COUNTRIES, type Country } from './demo-people';
import { SeededRandom } from './seeded-random';

export type DemoReward = Readonly<{ rewardId: string; points: number }>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The demo's history spans a year; its first contact registered at its very start. */
export const HISTORY_MS = 365 * DAY_MS;

/** One point for each full euro, five for a check-in. */
export const PROGRAMME: ApiRequest = {
  method: 'PUT',
  path: '/programme',
  body: {
    purchases: [{ currency: 'EUR', points: 1, perMinor: 100 }],
    checkIn: { points: 5, cooldown: 'PT12H' },
  },
};

/** The catalogue, cheapest first. */
export const rewardRequests = (seed: number): readonly ApiRequest[] =>
  [
    { title: 'A cup of coffee', price: { pool: 'main', points: 40 }, redemptionType: 'inStore' },
    { title: 'Free delivery', price: { pool: 'main', points: 80 }, redemptionType: 'code' },
    { title: 'Cotton bag', price: { pool: 'main', points: 150 }, stock: 100_000, redemptionType: 'inStore' },
    {
      title: 'Evening tasting for two',
      description: 'With the people who make what we sell.',
      price: { pool: 'main', points: 400 },
      limitPerContact: 1,
      redemptionType: 'code',
    },
  ].map((body, index) => ({
    method: 'POST',
    path: '/rewards',
    body,
    idempotencyKey: `demo-${seed}-reward-${index}`,
  }));

export const demoContactId = (seed: number, index: number): string =>
  derivedId(`demo-${seed}`, String(index));

/**
 * Everything that one of the demo's contacts did in the year before `until`, in the order in which it has to be sent.
 * It follows from seed, index and `until` alone, and breaks no rule of the programme above: what is spent was earned.
 */
export const contactRequests = (
  seed: number,
  index: number,
  until: number,
  rewards: readonly DemoReward[],
): readonly ApiRequest[] => {
  const random = new SeededRandom(`demo ${seed} ${index}`);
  const contactId = demoContactId(seed, index);
  const country = random.pick(COUNTRIES);
  const home = random.pick(country.cities);
  const registeredMs =
    until - (index === 0 ? HISTORY_MS : Math.floor(random.next() * (HISTORY_MS - DAY_MS)) + DAY_MS);
  const registeredAt = new Date(registeredMs).toISOString();
  const requests: ApiRequest[] = [];
  const own = `/${contactId}`;
  let balance = 0;
  const send = (method: ApiRequest['method'], path: string, body: object): void => {
    const idempotencyKey = `demo-${seed}-${index}-${requests.length}`;
    requests.push({ method, path: `/contacts${path}`, body, idempotencyKey });
  };
  const credit = (points: number, reason: string, occurredAt: string): void => {
    const expiresAt = new Date(until + random.integer(90, 400) * DAY_MS).toISOString();
    send('POST', `${own}/points/credits`, {
      points,
      reason,
      occurredAt,
      ...(random.chance(0.4) && { expiresAt }),
    });
    balance += points;
  };

  const reachable = random.chance(0.7);
  send('POST', '', {
    contactId,
    registeredAt,
    profile: profileOf(random, country, home, { seed, index, until }),
    ...(reachable && {
      consents: [{ purpose: 'newsletter', granted: true, wordingVersion: '2026-01', source: 'app' }],
    }),
  });
  if (random.chance(0.6)) credit(50, 'welcome', registeredAt);

  const visits = Array.from(
    { length: visitCount(random) },
    () => registeredMs + random.next() * (until - registeredMs),
  );
  for (const [visit, atMs] of visits.sort((a, b) => a - b).entries()) {
    const occurredAt = new Date(atMs).toISOString();
    const locationId = random.chance(0.8) ? home.locationId : random.pick(country.cities).locationId;
    const kind = random.next();
    if (kind < 0.65) {
      const basket = basketOf(random);
      send('POST', `${own}/purchases`, {
        invoiceNumber: `D${seed}-${index}-${visit}`,
        locationId,
        occurredAt,
        ...basket,
      });
      balance += Math.floor(basket.amount.minor / 100);
    } else if (kind < 0.9) {
      send('POST', `${own}/check-ins`, { checkInId: `d${seed}-${index}-${visit}`, locationId, occurredAt });
    } else if (kind < 0.96 || balance < 10) {
      credit(
        random.pick([10, 20, 25, 100]),
        random.pick(['goodwill', 'birthday', 'recommendation']),
        occurredAt,
      );
    } else {
      const points = random.integer(1, Math.floor(balance / 2));
      send('POST', `${own}/points/debits`, { points, reason: 'correction', occurredAt });
      balance -= points;
    }
  }

  if (random.chance(0.1))
    send('PATCH', own, { profile: { tags: [random.pick(['vip', 'wine', 'early bird'])] } });
  const reward = rewards.filter(({ points }) => points <= balance).at(-1);
  if (reward && random.chance(0.35)) {
    const redemptionId = derivedId(`demo-${seed}-redemption`, String(index));
    send('POST', `${own}/redemptions`, { rewardId: reward.rewardId, redemptionId });
  }
  if (reachable && random.chance(0.4)) {
    send('POST', `${own}/messages`, {
      channel: 'inbox',
      purpose: 'newsletter',
      subject: random.pick(['New this week', 'Your points are waiting', 'A reward within reach']),
      body: 'Come and see us: there is something for you at the counter.',
    });
  }
  if (reachable && random.chance(0.08))
    send('PUT', `${own}/consents/newsletter`, { granted: false, source: 'app' });
  return requests;
};

/** Most come a few times a year, a few every week. */
const visitCount = (random: SeededRandom): number =>
  random.pick([0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 10, 14, random.integer(15, 50)]);

const basketOf = (random: SeededRandom) => {
  const items = Array.from({ length: random.integer(1, 4) }, () => {
    const [sku, minor] = random.pick([
      ['espresso-250g', 890],
      ['filter-1kg', 2_490],
      ['mug', 1_450],
      ['olive-oil', 1_690],
      ['chocolate', 420],
      ['wine-riesling', 1_380],
    ] as const);
    const quantity = random.integer(1, 3);
    return { sku, quantity, amount: { minor: minor * quantity, currency: 'EUR' } };
  });
  return {
    amount: { minor: items.reduce((sum, { amount }) => sum + amount.minor, 0), currency: 'EUR' },
    items,
  };
};

const profileOf = (
  random: SeededRandom,
  country: Country,
  home: Country['cities'][number],
  { seed, index, until }: Readonly<{ seed: number; index: number; until: number }>,
) => {
  const gender = random.pick(['female', 'female', 'female', 'male', 'male', 'unspecified', 'other'] as const);
  const names =
    gender === 'female' || (gender !== 'male' && random.chance(0.5)) ? country.female : country.male;
  const firstName = random.pick(names);
  const lastName = random.pick(country.lastNames);
  const ageDays = Math.floor((18 + 52 * random.next() ** 1.4) * 365.25);
  return {
    firstName,
    lastName,
    ...(random.chance(0.92) && {
      email: `${ascii(firstName)}.${ascii(lastName)}.${seed}.${index}@example.com`,
    }),
    ...(random.chance(0.6) && {
      phone: `${country.phonePrefix}${String(random.integer(0, 9_999_999)).padStart(7, '0')}`,
    }),
    ...(random.chance(0.85) && { birthday: new Date(until - ageDays * DAY_MS).toISOString().slice(0, 10) }),
    gender,
    language: random.pick(country.languages),
    address: {
      ...(random.chance(0.7) && { street: `${random.pick(country.streets)} ${random.integer(1, 120)}` }),
      postalCode: home.postalCode,
      city: home.city,
      country: country.code,
    },
  };
};

/** Letters without accents, so that the addresses are plain. */
const ascii = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .replaceAll('ı', 'i')
    .normalize('NFKD')
    .replace(/[^a-z]/g, '');
