import { CONTACT_ID, NOW, decisionsOf, facts } from '@app/testing';
import { contactDecider } from './contact.decider';
import type { CreditPoints, DebitPoints } from './points.decisions';

const { given } = decisionsOf(contactDecider);
const of = { contactId: CONTACT_ID, now: NOW };
const registered = facts.registered();
const EARLIER = '2026-02-01T00:00:00.000Z';
const SOON = '2026-04-01T00:00:00.000Z';
const LATER = '2026-05-01T00:00:00.000Z';
const credit = (fields: Partial<CreditPoints> = {}): CreditPoints => ({
  type: 'CreditPoints',
  ...of,
  entryId: 'e1',
  pool: 'main',
  points: 10,
  reason: 'gift',
  ...fields,
});
const debit = (points: number, fields: Partial<DebitPoints> = {}): DebitPoints => ({
  type: 'DebitPoints',
  ...of,
  entryId: 'd1',
  pool: 'main',
  points,
  reason: 'fee',
  ...fields,
});
const reverse = (reversedEntryId: string) =>
  ({ type: 'ReversePoints', ...of, entryId: 'r1', reversedEntryId }) as const;
const expire = { type: 'ExpirePoints', ...of } as const;

describe('crediting points', () => {
  it('adds to the balance', () => {
    given(registered)
      .when(credit({ note: 'thanks', expiresAt: SOON }))
      .then(facts.credited('e1', 10, { note: 'thanks', expiresAt: SOON }));
    given(registered, facts.credited('e0', 5))
      .when(credit())
      .thenAnswer({ entryId: 'e1', points: 10, balance: 15 });
  });
  it('keeps pools apart', () =>
    given(registered, facts.credited('e0', 5, { pool: 'vip' }))
      .when(credit())
      .thenAnswer({ pool: 'main', balance: 10 }));
  it.each([0, -1, 1.5, 1_000_000_001, NaN, Infinity])('is refused for %p points', (points) =>
    given(registered)
      .when(credit({ points }))
      .thenRefused('contacts.invalid-points', { min: 1, max: 1_000_000_000 }),
  );
  it('takes a billion', () =>
    given(registered)
      .when(credit({ points: 1_000_000_000 }))
      .thenAnswer({ balance: 1_000_000_000 }));
  it('is refused beyond what a pool holds', () =>
    given(registered, facts.credited('e0', 1_000_000_000_000_000))
      .when(credit())
      .thenRefused('contacts.balance-limit', { balance: 1_000_000_000_000_000 }));
  it('is refused where it would expire before it happened', () => {
    given(registered)
      .when(credit({ expiresAt: NOW }))
      .thenRefused('contacts.invalid-expiry');
    given(registered)
      .when(credit({ occurredAt: LATER }))
      .thenRefused('contacts.in-the-future');
  });
  it('of long ago may come and go at once', () => {
    const old = { occurredAt: '2020-01-01T00:00:00.000Z', expiresAt: EARLIER };
    given(registered)
      .when(credit(old))
      .then(facts.credited('e1', 10, old), facts.expired('expiry:e1', EARLIER, { e1: 10 }));
    given(registered, facts.credited('e0', 5)).when(credit(old)).thenAnswer({ balance: 5 });
  });
  it('is refused for an unknown contact', () => given().when(credit()).thenRefused('contacts.not-found'));
});

describe('debiting points', () => {
  it('consumes what expires first, without expiry last, ties in order', () =>
    given(
      registered,
      facts.credited('never', 10),
      facts.credited('later', 10, { expiresAt: LATER }),
      facts.credited('soon-1', 10, { expiresAt: SOON }),
      facts.credited('soon-2', 10, { expiresAt: SOON }),
    )
      .when(debit(35))
      .then(facts.debited('d1', { 'soon-1': 10, 'soon-2': 10, later: 10, never: 5 }, 5)));
  it('is refused beyond the balance, which it names', () => {
    given(registered, facts.credited('e0', 5), facts.credited('e1', 100, { pool: 'vip' }))
      .when(debit(6))
      .thenRefused('contacts.insufficient-points', { pool: 'main', balance: 5, points: 6 });
    given(registered).when(debit(1)).thenRefused('contacts.insufficient-points', { balance: 0 });
  });
  it('counts what has expired until now as gone, and says so first', () => {
    const due = [
      registered,
      facts.credited('due-1', 10, { expiresAt: EARLIER }),
      facts.credited('due-2', 3, { expiresAt: EARLIER }),
      facts.credited('due-3', 4, { expiresAt: NOW }),
      facts.credited('left', 10),
    ];
    given(...due)
      .when(debit(4))
      .then(
        facts.expired('expiry:due-1', EARLIER, { 'due-1': 10, 'due-2': 3 }, 14),
        facts.expired('expiry:due-3', NOW, { 'due-3': 4 }, 10),
        facts.debited('d1', { left: 4 }, 6),
      );
    given(...due)
      .when(debit(11))
      .thenRefused('contacts.insufficient-points', { balance: 10 });
  });
  it('does not touch more lots than an event can hold', () => {
    const many = Array.from({ length: 3_001 }, (_, n) => facts.credited(`e${n}`, 1));
    given(registered, ...many)
      .when(debit(3_001))
      .thenRefused('contacts.too-many-lots');
    given(registered, ...many)
      .when(debit(3_000))
      .thenAnswer({ balance: 1 });
  });
  it.each([0, -5, 0.5])('is refused for %p points', (points) =>
    given(registered).when(debit(points)).thenRefused('contacts.invalid-points'),
  );
  it('is refused for an unknown contact', () => given().when(debit(1)).thenRefused('contacts.not-found'));
});

describe('points that are due', () => {
  const due = facts.credited('due', 10, { expiresAt: NOW });
  it('expire once', () => {
    given(registered, due)
      .when(expire)
      .then(facts.expired('expiry:due', NOW, { due: 10 }));
    given(registered, due, facts.expired('expiry:due', NOW, { due: 10 }))
      .when(expire)
      .thenNothing();
  });
  it('expire in every pool', () =>
    given(registered, due, facts.credited('vip', 5, { pool: 'vip', expiresAt: EARLIER }))
      .when(expire)
      .thenAnswer({ expired: 15 }));
  it('are left alone before their time, and where all is spent', () => {
    given(registered, facts.credited('soon', 10, { expiresAt: SOON }))
      .when(expire)
      .thenNothing();
    given(registered, due, facts.debited('d0', { due: 10 }))
      .when(expire)
      .thenNothing();
  });
  it('expire in parts where they are many', () => {
    const many = Array.from({ length: 3_001 }, (_, n) => facts.credited(`e${n}`, 1, { expiresAt: EARLIER }));
    given(registered, ...many)
      .when(expire)
      .thenAnswer({ expired: 3_000 });
    given(registered, ...many)
      .when(debit(1))
      .thenRefused('contacts.too-many-lots');
  });
});

describe('reversing a credit', () => {
  const history = [registered, facts.credited('e0', 10), facts.credited('e1', 10)];
  it('takes its points back', () =>
    given(...history)
      .when(reverse('e1'))
      .then(facts.reversed('r1', 'e1', -10, { e1: 10 }, 10)));
  it('takes them from others where they are spent', () =>
    given(...history, facts.debited('d0', { e0: 4 }, 16))
      .when(reverse('e0'))
      .then(facts.reversed('r1', 'e0', -10, { e0: 6, e1: 4 }, 6)));
  it('is refused where the balance no longer covers them', () =>
    given(...history, facts.debited('d0', { e0: 10, e1: 1 }, 9))
      .when(reverse('e0'))
      .thenRefused('contacts.insufficient-points', { balance: 9, points: 10 }));
  it('leaves out what has expired', () =>
    given(...history, facts.credited('due', 10, { expiresAt: NOW }), facts.debited('d0', { due: 4 }))
      .when(reverse('due'))
      .then(
        facts.expired('expiry:due', NOW, { due: 6 }, 20),
        facts.reversed('r1', 'due', -4, { e0: 4 }, 16),
      ));
  it('leaves out what expired before, whatever has become of the rest', () =>
    given(
      ...history,
      facts.credited('gone', 10, { expiresAt: EARLIER }),
      facts.debited('d0', { gone: 4 }),
      facts.expired('expiry:gone', EARLIER, { gone: 6 }),
    )
      .when(reverse('gone'))
      .then(facts.reversed('r1', 'gone', -4, { e0: 4 }, 16)));
  it('happens once', () =>
    given(...history, facts.reversed('r0', 'e1', -10, { e1: 10 }, 10))
      .when(reverse('e1'))
      .thenRefused('contacts.already-reversed'));
});

describe('reversing a debit', () => {
  it('gives the points back to their lots', () =>
    given(
      registered,
      facts.credited('soon', 10, { expiresAt: SOON }),
      facts.credited('e0', 10),
      facts.debited('d0', { soon: 10, e0: 5 }, 5),
    )
      .when(reverse('d0'))
      .then(facts.reversed('r1', 'd0', 15, { soon: 10, e0: 5 }, 20)));
  it('leaves out what would have expired since', () => {
    const spent = [
      registered,
      facts.credited('due', 10, { expiresAt: NOW }),
      facts.credited('e0', 10),
      facts.debited('d0', { due: 8, e0: 5 }, 7),
    ];
    given(...spent)
      .when(reverse('d0'))
      .then(facts.expired('expiry:due', NOW, { due: 2 }, 5), facts.reversed('r1', 'd0', 5, { e0: 5 }, 10));
  });
  it('does not revive a lot that another clock saw expire', () =>
    given(
      registered,
      facts.credited('soon', 10, { expiresAt: SOON }),
      facts.debited('d0', { soon: 4 }, 6),
      facts.expired('expiry:soon', SOON, { soon: 6 }),
    )
      .when(reverse('d0'))
      .then(facts.reversed('r1', 'd0', 0, {}, 0)));
  it('happens once', () =>
    given(
      registered,
      facts.credited('e0', 10),
      facts.debited('d0', { e0: 5 }, 5),
      facts.reversed('r0', 'd0', 5, { e0: 5 }, 10),
    )
      .when(reverse('d0'))
      .thenRefused('contacts.already-reversed'));
});

describe('reversing', () => {
  it('is refused for what is not there', () => {
    given(registered).when(reverse('nothing')).thenRefused('contacts.entry-not-found');
    given().when(reverse('e0')).thenRefused('contacts.not-found');
  });
  it('is for credits and debits only', () => {
    given(registered, facts.purchased('p0', 5)).when(reverse('p0')).thenRefused('contacts.not-reversible');
    given(registered, facts.checkedIn('c0', 5)).when(reverse('c0')).thenRefused('contacts.not-reversible');
  });
});
