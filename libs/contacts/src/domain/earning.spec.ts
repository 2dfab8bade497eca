import { CONTACT_ID, NOW, decisionsOf, facts, shares } from '@app/testing';
import type { CheckIn } from './check-ins.decisions';
import { contactDecider } from './contact.decider';
import type { ContactEvent } from './contact.events';
import type { RecordPurchase } from './purchases.decisions';

const { given } = decisionsOf(contactDecider);
const of = { contactId: CONTACT_ID, now: NOW };
const registered = facts.registered();
const EARLIER = '2026-02-01T00:00:00.000Z';

const purchase = (minor: number, fields: Partial<RecordPurchase> = {}): RecordPurchase => ({
  type: 'RecordPurchase',
  ...of,
  purchaseId: 'p1',
  invoiceNumber: 'invoice-p1',
  amount: { minor, currency: 'EUR' },
  earning: [
    { currency: 'USD', points: 7, perMinor: 1 },
    { currency: 'EUR', points: 2, perMinor: 100 },
  ],
  ...fields,
});
const giveBack = { type: 'ReturnPurchase', ...of, purchaseId: 'p0', reason: 'damaged' } as const;
const returned = (lots: Readonly<Record<string, number>>, points: number, balance: number): ContactEvent => ({
  type: 'contacts.PurchaseReturned.v1',
  data: {
    contactId: CONTACT_ID,
    occurredAt: NOW,
    purchaseId: 'p0',
    amount: { minor: 1_000, currency: 'EUR' },
    pool: 'main',
    points,
    balance,
    lots: shares(lots),
    reason: 'damaged',
  },
});

describe('a purchase', () => {
  it('earns by full units of its currency', () => {
    const amount = { minor: 1_099, currency: 'EUR' };
    given(registered)
      .when(purchase(1_099))
      .then(facts.purchased('p1', 20, { amount }));
    given(registered).when(purchase(99)).thenAnswer({ purchaseId: 'p1', pointsEarned: 0, balance: 0 });
    given(registered, facts.credited('e0', 5))
      .when(purchase(100))
      .thenAnswer({ pointsEarned: 2, balance: 7 });
  });
  it('earns nothing without a rule, and may cost nothing', () => {
    given(registered)
      .when(purchase(500, { earning: [] }))
      .thenAnswer({ pointsEarned: 0, pool: 'main' });
    given(registered).when(purchase(0)).thenAnswer({ pointsEarned: 0 });
  });
  it('earns in the pool and for the time that the rule says', () => {
    const earning = [{ currency: 'EUR', points: 1, perMinor: 100, pool: 'vip', expiresAfter: 'P1M' }];
    given(registered)
      .when(purchase(300, { earning, locationId: 'l1', items: [{ sku: 's', quantity: 1 }] }))
      .then(
        facts.purchased('p1', 3, {
          amount: { minor: 300, currency: 'EUR' },
          pool: 'vip',
          expiresAt: '2026-04-01T12:00:00.000Z',
          locationId: 'l1',
          items: [{ sku: 's', quantity: 1 }],
        }),
      );
  });
  it('of long ago keeps its time, and what it earned may be gone', () => {
    const earning = [{ currency: 'EUR', points: 1, perMinor: 100, expiresAfter: 'P1M' }];
    given(registered)
      .when(purchase(300, { earning, occurredAt: '1997-01-01T00:00:00.000Z' }))
      .then(
        facts.purchased('p1', 3, {
          occurredAt: '1997-01-01T00:00:00.000Z',
          amount: { minor: 300, currency: 'EUR' },
          expiresAt: '1997-02-01T00:00:00.000Z',
        }),
        facts.expired('expiry:p1', '1997-02-01T00:00:00.000Z', { p1: 3 }),
      );
  });
  it.each([-1, 0.5, 1_000_000_000_001])('is refused with an amount of %p', (minor) =>
    given(registered).when(purchase(minor)).thenRefused('contacts.invalid-amount'),
  );
  it('is refused where it would earn more than points go', () =>
    given(registered)
      .when(purchase(1_000_000_000, { earning: [{ currency: 'EUR', points: 1_000_000, perMinor: 1 }] }))
      .thenRefused('contacts.earning-limit'));
  it('is refused in the future and for an unknown contact', () => {
    given(registered)
      .when(purchase(1, { occurredAt: '2026-03-01T12:01:01.000Z' }))
      .thenRefused('contacts.in-the-future');
    given().when(purchase(1)).thenRefused('contacts.not-found');
  });
  it('is known by its invoice number', () => {
    expect(contactDecider.naturalKey?.ofCommand(purchase(1))).toBe('invoice:invoice-p1');
  });
});

describe('a return', () => {
  const bought = facts.purchased('p0', 10);
  it('takes back what was earned', () =>
    given(registered, facts.credited('e0', 5), bought)
      .when(giveBack)
      .then(returned({ p0: 10 }, 10, 5)));
  it('takes it from others where it is spent, as far as the balance goes', () => {
    given(registered, facts.credited('e0', 5), bought, facts.debited('d0', { p0: 8 }, 7))
      .when(giveBack)
      .then(returned({ p0: 2, e0: 5 }, 7, 0));
    given(registered, bought, facts.debited('d0', { p0: 10 }))
      .when(giveBack)
      .thenAnswer({ pointsTakenBack: 0, balance: 0 });
  });
  it('leaves out what has expired', () =>
    given(registered, facts.credited('e0', 5), facts.purchased('p0', 10, { expiresAt: EARLIER }))
      .when(giveBack)
      .then(facts.expired('expiry:p0', EARLIER, { p0: 10 }, 5), returned({}, 0, 5)));
  it('happens once', () =>
    given(registered, bought, returned({ p0: 10 }, 10, 0))
      .when(giveBack)
      .thenRefused('contacts.already-returned'));
  it('is refused for what was not bought', () => {
    given(registered).when(giveBack).thenRefused('contacts.purchase-not-found');
    given().when(giveBack).thenRefused('contacts.not-found');
  });
});

describe('a check-in', () => {
  const earning = { points: 5, cooldown: 'PT1H' };
  const checkIn = (fields: Partial<CheckIn> = {}): CheckIn => ({
    type: 'CheckIn',
    ...of,
    checkInId: 'c1',
    locationId: 'l1',
    earning,
    ...fields,
  });
  const before = (occurredAt: string, fields: object = {}) =>
    facts.checkedIn('c0', 5, { occurredAt, locationId: 'l1', ...fields });

  it('earns points', () =>
    given(registered)
      .when(checkIn())
      .then(facts.checkedIn('c1', 5, { locationId: 'l1' })));
  it('counts without points where the programme gives none', () =>
    given(registered)
      .when(checkIn({ earning: null, locationId: undefined }))
      .then(facts.checkedIn('c1', 0)));
  it('earns none within the cool-down of its location', () => {
    given(registered, before('2026-03-01T11:00:00.001Z'))
      .when(checkIn())
      .thenAnswer({ pointsEarned: 0, balance: 5 });
    given(registered, before('2026-03-01T11:00:00.000Z'))
      .when(checkIn())
      .thenAnswer({ pointsEarned: 5, balance: 10 });
    given(registered, before(NOW, { locationId: 'l2' }))
      .when(checkIn())
      .thenAnswer({ pointsEarned: 5 });
  });
  it('is not held up by one that earned nothing', () =>
    given(registered, before(NOW, { points: 0 }))
      .when(checkIn())
      .thenAnswer({ pointsEarned: 5 }));
  it('cools down both ways in time, whatever the order', () => {
    const at = (occurredAt: string) => checkIn({ occurredAt });
    const history = [
      registered,
      before('2026-02-03T12:00:00.000Z', { checkInId: 'late' }),
      before('2026-02-01T12:00:00.000Z', { checkInId: 'early' }),
    ];
    given(...history)
      .when(at('2026-02-02T12:00:00.000Z'))
      .thenAnswer({ pointsEarned: 5 });
    given(...history)
      .when(at('2026-02-01T11:30:00.000Z'))
      .thenAnswer({ pointsEarned: 0 });
    given(...history)
      .when(at('2026-02-01T12:30:00.000Z'))
      .thenAnswer({ pointsEarned: 0 });
    given(...history)
      .when(at('2026-02-03T11:30:00.000Z'))
      .thenAnswer({ pointsEarned: 0 });
  });
  it('must not take the id of another entry', () => {
    given(registered, facts.credited('c1', 5)).when(checkIn()).thenRefused('contacts.check-in-id-taken');
    given(registered, facts.credited('c1', 5))
      .when(checkIn({ earning: null }))
      .thenAnswer({ pointsEarned: 0 });
  });
  it('is refused in the future and for an unknown contact', () => {
    given(registered)
      .when(checkIn({ occurredAt: '2026-03-02T00:00:00.000Z' }))
      .thenRefused('contacts.in-the-future');
    given().when(checkIn()).thenRefused('contacts.not-found');
  });
  it('is known by its id', () => expect(contactDecider.naturalKey?.ofCommand(checkIn())).toBe('check-in:c1'));
});
