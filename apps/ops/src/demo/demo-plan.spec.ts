import { contactRequests, demoContactId, PROGRAMME } from './demo-plan';

const UNTIL = Date.parse('2026-03-01T10:00:00Z');
const REWARDS = [
  { rewardId: '00000000-0000-4000-8000-000000000001', points: 40 },
  { rewardId: '00000000-0000-4000-8000-000000000002', points: 400 },
];
const everyone = Array.from({ length: 400 }, (_, index) => contactRequests(7, index, UNTIL, REWARDS));

describe('the demo data', () => {
  it('are the same for the same seed, and others for another', () => {
    expect(contactRequests(7, 3, UNTIL, REWARDS)).toEqual(everyone[3]);
    expect(contactRequests(8, 3, UNTIL, REWARDS)).not.toEqual(everyone[3]);
  });

  it('never use a key, an invoice or an e-mail twice', () => {
    const bodies = everyone
      .flat()
      .map(({ body }) => body as { invoiceNumber?: string; profile?: { email?: string } });
    for (const values of [
      everyone.flat().map(({ idempotencyKey }) => idempotencyKey),
      bodies.flatMap(({ invoiceNumber }) => invoiceNumber ?? []),
      bodies.flatMap(({ profile }) => profile?.email ?? []),
    ]) {
      expect(values.length).toBeGreaterThan(0);
      expect(new Set(values).size).toBe(values.length);
    }
  });

  it('lie within the year, in order, the first contact at its start', () => {
    for (const [index, requests] of everyone.entries()) {
      const times = requests.flatMap(({ body }) => {
        const { registeredAt, occurredAt } = body as { registeredAt?: string; occurredAt?: string };
        return registeredAt ?? occurredAt ?? [];
      });
      expect(times).toEqual([...times].sort());
      expect(Date.parse(times[0]!)).toBeGreaterThanOrEqual(UNTIL - 365 * 86_400_000);
      expect(Date.parse(times.at(-1)!)).toBeLessThanOrEqual(UNTIL);
      expect((requests[0]!.body as { contactId: string }).contactId).toBe(demoContactId(7, index));
    }
    expect(everyone[0]![0]!.body).toMatchObject({ registeredAt: '2025-03-01T10:00:00.000Z' });
  });

  it('spend no more than the programme lets them earn', () => {
    const { points, perMinor } = (PROGRAMME.body as { purchases: { points: number; perMinor: number }[] })
      .purchases[0]!;
    let spent = 0;
    for (const requests of everyone) {
      let balance = 0;
      for (const { path, body } of requests) {
        const fields = body as { points: number; amount: { minor: number }; rewardId: string };
        if (path.endsWith('/credits')) balance += fields.points;
        if (path.endsWith('/purchases')) balance += Math.floor(fields.amount.minor / perMinor) * points;
        if (path.endsWith('/debits')) balance -= fields.points;
        if (path.endsWith('/redemptions')) {
          balance -= REWARDS.find(({ rewardId }) => rewardId === fields.rewardId)!.points;
          spent += 1;
        }
        expect(balance).toBeGreaterThanOrEqual(0);
      }
    }
    expect(spent).toBeGreaterThan(10);
  });
});
