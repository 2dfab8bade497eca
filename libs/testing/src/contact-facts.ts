import type { ContactEvent } from '@app/contacts';

type DataOf<Type extends ContactEvent['type']> = Extract<ContactEvent, { type: Type }>['data'];

export const CONTACT_ID = '7d1f6a3e-93f0-4a52-9e1b-0c6a8f1d2b34';
export const NOW = '2026-03-01T12:00:00.000Z';
const of = { contactId: CONTACT_ID, occurredAt: NOW };

/** Facts of one contact with the usual values; name those that a spec is about. */
export const facts = {
  registered: (data: Partial<DataOf<'contacts.ContactRegistered.v1'>> = {}): ContactEvent => ({
    type: 'contacts.ContactRegistered.v1',
    data: { ...of, source: 'app', profile: {}, ...data },
  }),
  credited: (
    entryId: string,
    points: number,
    data: Partial<DataOf<'contacts.PointsCredited.v1'>> = {},
  ): ContactEvent => ({
    type: 'contacts.PointsCredited.v1',
    data: { ...of, entryId, pool: 'main', points, balance: points, reason: 'gift', ...data },
  }),
  debited: (entryId: string, lots: Readonly<Record<string, number>>, balance = 0): ContactEvent => ({
    type: 'contacts.PointsDebited.v1',
    data: { ...of, entryId, pool: 'main', points: total(lots), balance, reason: 'fee', lots: shares(lots) },
  }),
  expired: (
    entryId: string,
    occurredAt: string,
    lots: Readonly<Record<string, number>>,
    balance = 0,
  ): ContactEvent => ({
    type: 'contacts.PointsExpired.v1',
    data: { ...of, occurredAt, entryId, pool: 'main', points: total(lots), balance, lots: shares(lots) },
  }),
  reversed: (
    entryId: string,
    reversedEntryId: string,
    points: number,
    lots: Readonly<Record<string, number>>,
    balance = 0,
  ): ContactEvent => ({
    type: 'contacts.PointsReversed.v1',
    data: { ...of, entryId, reversedEntryId, pool: 'main', points, balance, lots: shares(lots) },
  }),
  redeemed: (redemptionId: string, lots: Readonly<Record<string, number>>, balance = 0): ContactEvent => ({
    type: 'contacts.RewardRedeemed.v1',
    data: {
      ...of,
      redemptionId,
      rewardId: 'reward',
      code: 'CODE',
      redemptionType: 'code',
      pool: 'main',
      points: total(lots),
      balance,
      lots: shares(lots),
    },
  }),
  purchased: (
    purchaseId: string,
    points: number,
    data: Partial<DataOf<'contacts.PurchaseRecorded.v1'>> = {},
  ): ContactEvent => ({
    type: 'contacts.PurchaseRecorded.v1',
    data: {
      ...of,
      purchaseId,
      invoiceNumber: `invoice-${purchaseId}`,
      amount: { minor: 1_000, currency: 'EUR' },
      pool: 'main',
      points,
      balance: points,
      ...data,
    },
  }),
  checkedIn: (
    checkInId: string,
    points: number,
    data: Partial<DataOf<'contacts.CheckedIn.v1'>> = {},
  ): ContactEvent => ({
    type: 'contacts.CheckedIn.v1',
    data: { ...of, checkInId, pool: 'main', points, balance: points, ...data },
  }),
  consented: (granted: boolean, data: Partial<DataOf<'contacts.ConsentGranted.v1'>> = {}): ContactEvent => ({
    type: granted ? 'contacts.ConsentGranted.v1' : 'contacts.ConsentWithdrawn.v1',
    data: { ...of, purpose: 'news', source: 'app', ...data },
  }),
};

export const shares = (
  lots: Readonly<Record<string, number>>,
): readonly { entryId: string; points: number }[] =>
  Object.entries(lots).map(([entryId, points]) => ({ entryId, points }));

const total = (lots: Readonly<Record<string, number>>): number =>
  Object.values(lots).reduce((sum, points) => sum + points, 0);
