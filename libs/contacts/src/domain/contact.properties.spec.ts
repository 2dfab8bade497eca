import fc from 'fast-check';
import { addMillis, DomainError } from '@app/kernel';
import { CONTACT_ID, NOW, recorded } from '@app/testing';
import { contactDecider, type ContactCommand } from './contact.decider';
import { contactEventDefinitions, type ContactEvent } from './contact.events';
import type { ActiveContact, Contact } from './contact.state';

const id = fc.constantFrom('a', 'b', 'c', '__proto__');
const value = fc.constantFrom<unknown>(undefined, null, 0, -3, 7, 'x', NOW, [], {}, true);
const lots = fc.array(fc.record({ entryId: id, points: fc.constantFrom(-1, 0, 5, 1_000) }), { maxLength: 3 });

/** Any event type with any ids and figures, fitting or not. */
const anyEvent = fc
  .record({
    type: fc.constantFrom(...contactEventDefinitions.map(({ type }) => type)),
    points: fc.constantFrom(-10, 0, 5, 10),
    ids: fc.tuple(id, id, id),
    lots,
    profile: fc.constantFrom(
      null,
      {},
      { phone: '1' },
      { phone: null, customFields: null },
      { customFields: { a: 1, b: null } },
    ),
    expiresAt: fc.constantFrom(undefined, NOW, '2027-01-01T00:00:00.000Z'),
    channel: fc.constantFrom(undefined, 'email', 'inbox'),
    noise: value,
  })
  .map(({ type, points, ids: [one, two, three], noise, ...fields }) => ({
    type,
    data: {
      contactId: CONTACT_ID,
      occurredAt: NOW,
      pool: one,
      points,
      balance: noise,
      entryId: two,
      reversedEntryId: three,
      purchaseId: two,
      checkInId: two,
      redemptionId: two,
      rewardId: one,
      claimId: three,
      emailClaim: noise,
      releasedEmailClaim: noise,
      erasureId: three,
      purpose: one,
      source: 'app',
      deviceId: two,
      pushable: true,
      amount: { minor: 1, currency: 'EUR' },
      ...fields,
    },
  })) as unknown as fc.Arbitrary<ContactEvent>;

const poolsOf = (contact: Contact) => [...((contact as ActiveContact).ledger?.pools ?? new Map()).values()];
const checkPools = (contact: Contact) => {
  for (const { balance, open } of poolsOf(contact)) {
    expect(balance).toBe(open.reduce((sum: number, lot: { left: number }) => sum + lot.left, 0));
    expect(balance).toBeGreaterThanOrEqual(0);
    for (const lot of open) expect(lot.left).toBeGreaterThan(0);
    const order = open.map((lot: { expiresAt: string | null }) => lot.expiresAt ?? '~');
    expect(order).toEqual([...order].sort());
  }
};
const fold = (events: readonly ContactEvent[]): Contact =>
  events
    .map(recorded)
    .reduce((state, event) => contactDecider.evolve(state, event), contactDecider.initialState());

type Step = Readonly<{
  kind: number;
  n: number;
  points: number;
  pool: string;
  expiresIn: number;
  waits: number;
}>;
const anyStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.nat({ max: 9 }),
  n: fc.nat({ max: 9 }),
  points: fc.integer({ min: 1, max: 40 }),
  pool: fc.constantFrom('main', 'vip'),
  expiresIn: fc.constantFrom(0, 0, 1, 5, 20),
  waits: fc.constantFrom(0, 1, 10),
});

/** Commands that name entries of earlier steps now and then. */
const commandOf = (
  { kind, n, points, pool, expiresIn }: Step,
  index: number,
  now: string,
): ContactCommand => {
  const of = { contactId: CONTACT_ID, now };
  const expiresAt = expiresIn === 0 ? undefined : addMillis(now, expiresIn * 1_000);
  const entry = { ...of, entryId: `e${index}`, pool, points, reason: 'test' };
  switch (kind) {
    case 0:
    case 1:
      return { type: 'CreditPoints', ...entry, expiresAt };
    case 2:
    case 3:
      return { type: 'DebitPoints', ...entry };
    case 4:
      return { type: 'ReversePoints', ...of, entryId: `e${index}`, reversedEntryId: `e${n}` };
    case 5:
      return {
        type: 'RecordPurchase',
        ...of,
        purchaseId: `e${index}`,
        invoiceNumber: `i${index}`,
        amount: { minor: points, currency: 'EUR' },
        earning: [{ currency: 'EUR', points: 1, perMinor: 2, pool, expiresAfter: 'PT5S' }],
      };
    case 6:
      return { type: 'ReturnPurchase', ...of, purchaseId: `e${n}` };
    case 7:
      return {
        type: 'RedeemReward',
        ...of,
        redemptionId: `e${index}`,
        rewardId: 'r',
        code: 'C',
        redemptionType: 'code',
        pool,
        points,
        limitPerContact: 3,
      };
    case 8:
      return { type: 'CancelRedemption', ...of, redemptionId: `e${n}` };
    default:
      return { type: 'ExpirePoints', ...of };
  }
};

const movement = (event: ContactEvent): number => {
  switch (event.type) {
    case 'contacts.PointsCredited.v1':
    case 'contacts.PointsReversed.v1':
    case 'contacts.PurchaseRecorded.v1':
    case 'contacts.RedemptionCancelled.v1':
      return event.data.points;
    case 'contacts.PointsDebited.v1':
    case 'contacts.PointsExpired.v1':
    case 'contacts.PointsForfeited.v1':
    case 'contacts.PurchaseReturned.v1':
    case 'contacts.RewardRedeemed.v1':
      return -event.data.points;
    default:
      return 0;
  }
};

describe('a contact', () => {
  it('folds any sequence of events without throwing, with balances that are the sum of their lots', () =>
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), fc.boolean(), (events, isRegistered) => {
        const registered = {
          type: 'contacts.ContactRegistered.v1',
          data: { contactId: CONTACT_ID, occurredAt: NOW, source: 'app', profile: {} },
        } as const;
        checkPools(fold(isRegistered ? [registered, ...events] : events));
      }),
      { numRuns: 500 },
    ));

  it('keeps balances exact and never negative, whatever is decided, and decides without changing the state', () =>
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
        let state = fold([
          {
            type: 'contacts.ContactRegistered.v1',
            data: { contactId: CONTACT_ID, occurredAt: NOW, source: 'app', profile: {} },
          },
        ]);
        const balances = new Map<string, number>();
        let now = NOW;
        steps.forEach((step, index) => {
          now = addMillis(now, step.waits * 1_000);
          const command = commandOf(step, index, now);
          const before = structuredClone(state);
          let events: readonly ContactEvent[] = [];
          try {
            events = contactDecider.decide(command, state).events;
          } catch (error) {
            expect(error).toBeInstanceOf(DomainError);
          }
          expect(state).toEqual(before);
          for (const event of events) {
            state = contactDecider.evolve(state, recorded(event));
            const { pool, balance } = event.data as { pool: string; balance: number };
            balances.set(pool, (balances.get(pool) ?? 0) + movement(event));
            expect(balances.get(pool)).toBe(balance);
            expect((state as ActiveContact).ledger.pools.get(pool)?.balance ?? 0).toBe(balance);
          }
          checkPools(state);
          // Whatever a command did, in the pool that it moved nothing that is due is left.
          const moved = events.at(-1)?.data as { pool?: string } | undefined;
          for (const lot of (state as ActiveContact).ledger.pools.get(moved?.pool ?? '')?.open ?? []) {
            expect(lot.expiresAt === null || lot.expiresAt > now).toBe(true);
          }
        });
      }),
      { numRuns: 500 },
    ));

  it('keeps no personal value', () => {
    const canary = 'canary-5f3a';
    const state = fold([
      {
        type: 'contacts.ContactRegistered.v1',
        data: {
          contactId: CONTACT_ID,
          occurredAt: NOW,
          source: 'app',
          profile: {
            firstName: canary,
            phone: canary,
            email: canary,
            customFields: { size: canary },
            tags: [canary],
          },
        },
      },
      {
        type: 'contacts.PointsCredited.v1',
        data: {
          contactId: CONTACT_ID,
          occurredAt: NOW,
          entryId: 'e',
          pool: 'main',
          points: 1,
          balance: 1,
          reason: 'r',
          note: canary,
        },
      },
      {
        type: 'contacts.PurchaseRecorded.v1',
        data: {
          contactId: CONTACT_ID,
          occurredAt: NOW,
          purchaseId: 'p',
          invoiceNumber: canary,
          amount: { minor: 1, currency: 'EUR' },
          pool: 'main',
          points: 0,
          balance: 1,
        },
      },
      {
        type: 'contacts.DeviceRegistered.v1',
        data: {
          contactId: CONTACT_ID,
          occurredAt: NOW,
          deviceId: 'd',
          platform: 'ios',
          pushable: true,
          device: { pushToken: canary },
        },
      },
      {
        type: 'contacts.MessageSent.v1',
        data: {
          contactId: CONTACT_ID,
          occurredAt: NOW,
          messageId: 'm',
          channel: 'inbox',
          purpose: 'news',
          content: { body: canary },
        },
      },
    ]);
    const text = JSON.stringify(state, (_, item: unknown) =>
      item instanceof Map || item instanceof Set ? [...item] : item,
    );
    expect(text).not.toContain(canary);
  });
});
