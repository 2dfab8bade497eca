import { contactHistories, contactIdOf, contactLogs, readModelOf, recorded } from '@app/testing';
import type { DomainEvent, RecordedEvent } from '@app/kernel';
import { foldBatch, type Change } from '@app/read-store';
import fc from 'fast-check';
import type { ContactEvent, ContactRegistered } from '../../domain/contact.events';
import { contactDetails } from './contact-details';
import type { ContactDocument } from './contact.document';
import { contactsProjection } from './contacts.projection';
import { figureOf } from './figures';

const ID = contactIdOf(1);
const AT = '2026-01-01T10:00:00.000Z';
const LATER = '2026-01-02T10:00:00.000Z';
const EXPIRY = '2026-06-01T00:00:00.000Z';
const of = { contactId: ID, occurredAt: LATER };

const registered: ContactRegistered = {
  type: 'contacts.ContactRegistered.v1',
  data: {
    contactId: ID,
    occurredAt: AT,
    source: 'app',
    profile: {
      firstName: 'Änne',
      lastName: 'von der Höh',
      email: 'Anne@Example.org',
      address: { city: 'Wien', country: 'AT' },
    },
  },
};
const document: ContactDocument = {
  contactId: ID,
  revision: 0,
  source: 'app',
  registeredAt: AT,
  registeredMonth: '2026-01',
  lastActivityAt: AT,
  lastCheckInAt: null,
  profile: registered.data.profile ?? {},
  points: {},
  lots: [],
  nextExpiryAt: null,
  consents: [],
  devices: [],
  counts: { purchases: 0, checkIns: 0, redemptions: 0, messages: 0 },
  spend: {},
  sort: { firstName: 'anne', lastName: 'von der hoh', email: 'anne@example.org', city: 'wien' },
  search: ['anne', 'von', 'der', 'hoh', 'anne@example.org'],
};
const credited = (points: number, balance: number, entryId: string, expiresAt?: string): ContactEvent => ({
  type: 'contacts.PointsCredited.v1',
  data: {
    ...of,
    entryId,
    pool: 'main',
    points,
    balance,
    reason: 'gift',
    ...(expiresAt !== undefined && { expiresAt }),
  },
});
const purchased: ContactEvent = {
  type: 'contacts.PurchaseRecorded.v1',
  data: {
    ...of,
    purchaseId: 'p1',
    invoiceNumber: 'R-1',
    amount: { minor: 1250, currency: 'EUR' },
    pool: 'main',
    points: 12,
    balance: 12,
    expiresAt: EXPIRY,
  },
};
const lot = { entryId: 'p1', pool: 'main', points: 12, expiresAt: EXPIRY };
const moved = { revision: 1, lastActivityAt: LATER };

const contact = readModelOf(contactsProjection);

describe('the contact document', () => {
  it('begins with the registration', () => contact.given(registered).then(ID, document));

  it('holds nothing personal of a contact whose key is gone', () =>
    contact
      .given({ ...registered, data: { ...registered.data, profile: null } })
      .then(ID, { ...document, profile: {}, sort: {}, search: [] }));

  it('knows nobody who never registered', () =>
    contact.given({ type: 'contacts.EmailClaimAbandoned.v1', data: { ...of, claimId: 'c' } }).then(ID, null));

  it('merges changed details into the profile, and what it is sorted and found by', () =>
    contact
      .given(registered, {
        type: 'contacts.ContactDetailsChanged.v1',
        data: {
          ...of,
          changed: ['firstName', 'lastName', 'address.city', 'phone', 'tags'],
          profile: {
            firstName: null,
            lastName: "O'Hara",
            address: { city: null },
            phone: '+43 (664) 12',
            tags: ['vip'],
          },
        },
      })
      .then(ID, {
        ...document,
        ...moved,
        profile: {
          lastName: "O'Hara",
          email: 'Anne@Example.org',
          address: { country: 'AT' },
          phone: '+43 (664) 12',
          tags: ['vip'],
        },
        sort: { lastName: "o'hara", email: 'anne@example.org' },
        search: ["o'hara", 'hara', 'anne@example.org', '4366412'],
      }));

  it('keeps the profile where a change cannot be read any more', () =>
    contact
      .given(registered, {
        type: 'contacts.ContactDetailsChanged.v1',
        data: { ...of, changed: ['firstName'], profile: null },
      })
      .then(ID, { ...document, ...moved }));

  it.each([
    ['contacts.EmailClaimAbandoned.v1', { ...of, claimId: 'c' }],
    ['contacts.RedemptionAbandoned.v1', { ...of, redemptionId: 'r', rewardId: 'w' }],
  ] as const)('moves on with %s, which is no activity', (type, data) =>
    contact.given(registered, { type, data } as ContactEvent).then(ID, { ...document, revision: 1 }),
  );

  it('keeps the last word on a purpose and channel, and drops those when all channels are spoken of', () => {
    const consent = { ...of, purpose: 'marketing', source: 'app' };
    const email = {
      purpose: 'marketing',
      channel: 'email',
      at: LATER,
      wordingVersion: null,
      source: 'app',
    } as const;
    const granted: ContactEvent = {
      type: 'contacts.ConsentGranted.v1',
      data: { ...consent, channel: 'email' },
    };
    const withdrawn: ContactEvent = {
      type: 'contacts.ConsentWithdrawn.v1',
      data: { ...consent, channel: 'email' },
    };
    const all: ContactEvent = {
      type: 'contacts.ConsentGranted.v1',
      data: { ...consent, wordingVersion: '2' },
    };
    contact
      .given(registered, granted)
      .then(ID, { ...document, ...moved, consents: [{ ...email, granted: true }] });
    contact
      .given(registered, granted, withdrawn)
      .then(ID, { ...document, ...moved, revision: 2, consents: [{ ...email, granted: false }] });
    contact.given(registered, granted, all).then(ID, {
      ...document,
      ...moved,
      revision: 2,
      consents: [{ ...email, channel: null, granted: true, wordingVersion: '2' }],
    });
  });

  it('lists devices without their push tokens', () => {
    const device: ContactEvent = {
      type: 'contacts.DeviceRegistered.v1',
      data: {
        ...of,
        deviceId: 'd1',
        platform: 'ios',
        pushable: true,
        device: { model: 'X', pushToken: 'canary' },
      },
    };
    const removed: ContactEvent = { type: 'contacts.DeviceRemoved.v1', data: { ...of, deviceId: 'd1' } };
    const listed = {
      deviceId: 'd1',
      platform: 'ios',
      pushable: true,
      model: 'X',
      osVersion: null,
      appVersion: null,
      registeredAt: LATER,
    };
    contact.given(registered, device).then(ID, { ...document, ...moved, devices: [listed] });
    contact
      .given(registered, device, device)
      .then(ID, { ...document, ...moved, revision: 2, devices: [listed] });
    contact.given(registered, device, removed).then(ID, { ...document, ...moved, revision: 2 });
    expect(JSON.stringify(contact.given(registered, device).document(ID))).not.toContain('canary');
  });

  it('keeps the balance, and a lot of points that expire', () => {
    contact
      .given(registered, credited(10, 10, 'e1'))
      .then(ID, { ...document, ...moved, points: { main: 10 } });
    contact.given(registered, credited(10, 10, 'e1', EXPIRY)).then(ID, {
      ...document,
      ...moved,
      points: { main: 10 },
      lots: [{ entryId: 'e1', pool: 'main', points: 10, expiresAt: EXPIRY }],
      nextExpiryAt: EXPIRY,
    });
  });

  it.each([
    ['contacts.PointsDebited.v1', { entryId: 'x', reason: 'fee', points: 5 }, {}],
    ['contacts.PointsReversed.v1', { entryId: 'x', reversedEntryId: 'p1', points: -5 }, {}],
    [
      'contacts.RewardRedeemed.v1',
      { redemptionId: 'x', rewardId: 'w', code: 'C', redemptionType: 'code', points: 5 },
      { counts: { ...document.counts, purchases: 1, redemptions: 1 } },
    ],
    [
      'contacts.PurchaseReturned.v1',
      { purchaseId: 'p1', amount: { minor: 1250, currency: 'EUR' }, points: 5 },
      { spend: { EUR: 0 } },
    ],
  ] as const)('takes points from balance and lots with %s', (type, data, changes) =>
    contact
      .given(registered, purchased, {
        type,
        data: { ...of, ...data, pool: 'main', balance: 7, lots: [{ entryId: 'p1', points: 5 }] },
      } as ContactEvent)
      .then(ID, {
        ...document,
        ...moved,
        revision: 2,
        points: { main: 7 },
        lots: [{ ...lot, points: 7 }],
        nextExpiryAt: EXPIRY,
        counts: { ...document.counts, purchases: 1 },
        spend: { EUR: 1250 },
        ...changes,
      }),
  );

  it('does not take an expiry for activity, and forgets the lot', () =>
    contact
      .given(
        registered,
        recorded(purchased, 1),
        recorded<ContactEvent>(
          {
            type: 'contacts.PointsExpired.v1',
            data: {
              contactId: ID,
              occurredAt: EXPIRY,
              entryId: 'x',
              pool: 'main',
              points: 12,
              balance: 0,
              lots: [{ entryId: 'p1', points: 12 }],
            },
          },
          { position: 2n, revision: 2, recordedAt: '2026-06-03T00:00:00.000Z' },
        ),
      )
      .then(ID, {
        ...document,
        ...moved,
        revision: 2,
        points: { main: 0 },
        counts: { ...document.counts, purchases: 1 },
        spend: { EUR: 1250 },
      }));

  it.each([
    ['contacts.RedemptionCancelled.v1', { redemptionId: 'r', rewardId: 'w', points: 12 }],
    ['contacts.PointsReversed.v1', { entryId: 'y', reversedEntryId: 'x', points: 12 }],
  ] as const)('gives points back to an emptied lot with %s', (type, data) => {
    const pool = { pool: 'main', lots: [{ entryId: 'p1', points: 12 }] };
    const debited: ContactEvent = {
      type: 'contacts.PointsDebited.v1',
      data: { ...of, ...pool, entryId: 'x', reason: 'fee', points: 12, balance: 0 },
    };
    const before = contact.given(registered, purchased, debited).document(ID);
    expect(before).toMatchObject({ points: { main: 0 }, nextExpiryAt: null });
    contact
      .given(registered, purchased, debited, {
        type,
        data: { ...of, ...data, ...pool, balance: 12 },
      } as ContactEvent)
      .then(ID, {
        ...document,
        ...moved,
        revision: 3,
        points: { main: 12 },
        lots: [lot],
        nextExpiryAt: EXPIRY,
        counts: { ...document.counts, purchases: 1 },
        spend: { EUR: 1250 },
      });
  });

  it('counts check-ins, the last by when it happened', () => {
    const checkedIn = (occurredAt: string, checkInId: string): ContactEvent => ({
      type: 'contacts.CheckedIn.v1',
      data: { contactId: ID, occurredAt, checkInId, pool: 'main', points: 0, balance: 0 },
    });
    contact.given(registered, checkedIn(LATER, 'c1'), checkedIn('2025-01-01T00:00:00.000Z', 'c2')).then(ID, {
      ...document,
      ...moved,
      revision: 2,
      lastCheckInAt: LATER,
      counts: { ...document.counts, checkIns: 2 },
    });
  });

  it('counts messages, which are no activity of the contact', () =>
    contact
      .given(registered, {
        type: 'contacts.MessageSent.v1',
        data: { ...of, messageId: 'm', channel: 'inbox', purpose: 'service', content: { body: 'canary' } },
      })
      .then(ID, { ...document, revision: 1, counts: { ...document.counts, messages: 1 } }));

  it('keeps pools apart whatever their names', () => {
    const inPool = (pool: string): ContactEvent => ({
      type: 'contacts.PointsCredited.v1',
      data: { ...of, entryId: pool, pool, points: 1, balance: 1, reason: 'gift' },
    });
    const found = contact.given(registered, ...['a_b-1', 'constructor', '0'].map(inPool)).document(ID);
    for (const pool of ['a_b-1', 'constructor', '0']) expect(figureOf(found?.points ?? {}, pool)).toBe(1);
    expect(figureOf(found?.points ?? {}, 'toString')).toBeNull();
  });
});

const folded = (events: readonly RecordedEvent<ContactEvent>[]): Map<string, ContactDocument> =>
  new Map(
    (
      foldBatch(
        contactsProjection,
        events as readonly RecordedEvent<DomainEvent>[],
        new Map(),
      ) as Change<ContactDocument>[]
    ).flatMap(({ id, doc }) => (doc === null ? [] : [[id, doc] as const])),
  );

describe('any history of contacts', () => {
  it('leaves the revision of its last event, and the balances that the events name', () => {
    fc.assert(
      fc.property(contactLogs({ contactsMax: 4, stepsMax: 25 }), (log) => {
        const docs = folded(log);
        for (const [id, doc] of docs) {
          const own = log.filter(({ data }) => data.contactId === id);
          expect(doc.revision).toBe(own.at(-1)?.meta.revision);
          for (const pool of ['main', 'vip', 'a_b-1']) {
            const last = own.findLast(
              ({ data }) => 'pool' in data && data.pool === pool && data.points !== 0,
            );
            expect(figureOf(doc.points, pool)).toBe(
              last && 'balance' in last.data ? last.data.balance : null,
            );
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('leaves lots that make up the balances', () => {
    fc.assert(
      fc.property(contactHistories(ID, 40), (history) => {
        const details = contactDetails(folded(history).get(ID) ?? document);
        const sums: Record<string, number> = {};
        for (const { pool, points } of details.lots) {
          expect(points).toBeGreaterThan(0);
          sums[pool] = (sums[pool] ?? 0) + points;
        }
        for (const [pool, balance] of Object.entries(details.balances)) expect(sums[pool] ?? 0).toBe(balance);
      }),
      { numRuns: 100 },
    );
  });

  it('leaves, of each credit that expires, exactly what the events have not taken', () => {
    fc.assert(
      fc.property(contactHistories(ID, 40), (history) => {
        const left = new Map<string, number>();
        for (const { type, data } of history) {
          if ('expiresAt' in data && 'points' in data && data.points > 0) {
            left.set(
              'entryId' in data ? data.entryId : 'checkInId' in data ? data.checkInId : data.purchaseId,
              data.points,
            );
          }
          if (!('lots' in data)) continue;
          const back =
            type === 'contacts.RedemptionCancelled.v1' ||
            (type === 'contacts.PointsReversed.v1' && data.points > 0);
          for (const share of data.lots) {
            const known = left.get(share.entryId);
            if (known !== undefined) left.set(share.entryId, known + (back ? share.points : -share.points));
          }
        }
        const lots =
          folded(history)
            .get(ID)
            ?.lots.filter(({ points }) => points > 0) ?? [];
        expect(Object.fromEntries(lots.map(({ entryId, points }) => [entryId, points]))).toEqual(
          Object.fromEntries([...left].filter(([, points]) => points > 0)),
        );
      }),
      { numRuns: 100 },
    );
  });
});
