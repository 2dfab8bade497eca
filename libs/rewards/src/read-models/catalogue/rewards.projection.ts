import type { RedemptionCancelled } from '@app/contacts';
import { open, type RecordedEvent } from '@app/kernel';
import { defineProjection } from '@app/read-store';
import type { RewardEvent, RewardTerms } from '../../domain/reward.events';

/** A reward as the catalogue shows it, and which pieces of its stock are not settled yet. */
export type RewardDocument = Readonly<{
  rewardId: string;
  revision: number;
  terms: RewardTerms;
  active: boolean;
  createdAt: string;
  /** Redemptions that hold a piece for good. */
  confirmedCount: number;
  reservations: readonly Readonly<{
    reservationId: string;
    contactId: string;
    redemptionId: string;
    deadline: string;
  }>[];
  /** Redemptions that were cancelled and have not given their piece back yet. */
  owed: readonly Readonly<{ contactId: string; redemptionId: string; since: string }>[];
  /** From when on the earliest of what is open should be settled; absent: nothing is open. */
  settleAt?: string;
}>;

type Event = RewardEvent | RedemptionCancelled;
type Of<Type extends RewardEvent['type']> = Extract<RewardEvent, { type: Type }>;

const dueOf = ({ reservations, owed }: RewardDocument): string | undefined =>
  [...reservations.map(({ deadline }) => deadline), ...owed.map(({ since }) => since)].sort()[0];

const withDue = ({ settleAt: _before, ...reward }: RewardDocument): RewardDocument => {
  const settleAt = dueOf(reward);
  return settleAt === undefined ? reward : { ...reward, settleAt };
};

/** Changes a reward that exists, and notes the revision it is now at. */
const change =
  <E extends RewardEvent>(fold: (reward: RewardDocument, data: E['data']) => Partial<RewardDocument>) =>
  (reward: RewardDocument | null, event: RecordedEvent<E>): RewardDocument | null =>
    reward && withDue({ ...reward, ...fold(reward, event.data), revision: event.meta.revision });

export const rewardsProjection = defineProjection<RewardDocument, Event>({
  name: 'rewards',
  version: 1,
  keys: ({ data }) => [data.rewardId],
  indexes: [{ key: { createdAt: 1, _id: 1 } }, { key: { settleAt: 1 }, sparse: true }],
  fields: {
    rewardId: open,
    revision: open,
    terms: open,
    active: open,
    createdAt: open,
    confirmedCount: open,
    reservations: open,
    owed: open,
    settleAt: open,
  },
  on: {
    'rewards.RewardCreated.v1': (_, { data, meta }) => ({
      rewardId: data.rewardId,
      revision: meta.revision,
      terms: data.terms,
      active: true,
      createdAt: data.occurredAt,
      confirmedCount: 0,
      reservations: [],
      owed: [],
    }),
    'rewards.RewardChanged.v1': change<Of<'rewards.RewardChanged.v1'>>((reward, data) => ({
      terms: { ...reward.terms, ...data.terms },
    })),
    'rewards.RewardDeactivated.v1': change<Of<'rewards.RewardDeactivated.v1'>>(() => ({ active: false })),
    'rewards.RewardActivated.v1': change<Of<'rewards.RewardActivated.v1'>>(() => ({ active: true })),
    'rewards.StockReserved.v1': change<Of<'rewards.StockReserved.v1'>>(
      ({ reservations }, { reservationId, contactId, redemptionId, deadline }) => ({
        reservations: [...reservations, { reservationId, contactId, redemptionId, deadline }],
      }),
    ),
    'rewards.StockConfirmed.v1': change<Of<'rewards.StockConfirmed.v1'>>((reward, { reservationId }) => ({
      reservations: reward.reservations.filter((held) => held.reservationId !== reservationId),
      confirmedCount: reward.confirmedCount + 1,
    })),
    'rewards.StockReleased.v1': change<Of<'rewards.StockReleased.v1'>>(
      (reward, { contactId, redemptionId, cause, reservationIds, confirmed }) => ({
        reservations: reward.reservations.filter((held) => !reservationIds.includes(held.reservationId)),
        confirmedCount: reward.confirmedCount - (confirmed ? 1 : 0),
        owed:
          cause === 'cancelled'
            ? reward.owed.filter((due) => due.contactId !== contactId || due.redemptionId !== redemptionId)
            : reward.owed,
      }),
    ),
    // Written to the contact's stream first; until the reward's own stream follows, a piece is owed.
    'contacts.RedemptionCancelled.v1': (reward, { data: { contactId, redemptionId, occurredAt } }) =>
      reward && reward.terms.stock !== null
        ? withDue({ ...reward, owed: [...reward.owed, { contactId, redemptionId, since: occurredAt }] })
        : reward,
  },
});
