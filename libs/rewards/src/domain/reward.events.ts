import { defineEvent, open, type DomainEvent, type EventDefinition } from '@app/kernel';

/** Everything on stream `reward-<uuid>`: the catalogue entry and its stock. */

/** What an operator says of a reward; null: without limit. */
export type RewardTerms = Readonly<{
  title: string;
  description: string | null;
  price: Readonly<{ pool: string; points: number }>;
  /** ISO 8601 UTC; from inclusive, until exclusive. */
  validFrom: string | null;
  validUntil: string | null;
  stock: number | null;
  limitPerContact: number | null;
  segmentId: string | null;
  redemptionType: 'inStore' | 'code' | 'link';
}>;

type OfReward = { rewardId: string; occurredAt: string };

export type RewardCreated = DomainEvent<'rewards.RewardCreated.v1', OfReward & { terms: RewardTerms }>;
export type RewardChanged = DomainEvent<
  'rewards.RewardChanged.v1',
  OfReward & { terms: Partial<RewardTerms> }
>;
export type RewardDeactivated = DomainEvent<'rewards.RewardDeactivated.v1', OfReward>;
export type RewardActivated = DomainEvent<'rewards.RewardActivated.v1', OfReward>;
/** One piece is set aside for a redemption until `deadline`. */
export type StockReserved = DomainEvent<
  'rewards.StockReserved.v1',
  OfReward & { redemptionId: string; contactId: string; deadline: string }
>;
export type StockConfirmed = DomainEvent<'rewards.StockConfirmed.v1', OfReward & { redemptionId: string }>;
export type StockReleased = DomainEvent<
  'rewards.StockReleased.v1',
  OfReward & { redemptionId: string; cause: 'refused' | 'abandoned' | 'cancelled' }
>;

export type RewardEvent =
  | RewardCreated
  | RewardChanged
  | RewardDeactivated
  | RewardActivated
  | StockReserved
  | StockConfirmed
  | StockReleased;

const ofReward = { rewardId: open, occurredAt: open } as const;

export const rewardEventDefinitions: readonly EventDefinition[] = [
  defineEvent<RewardCreated>({ type: 'rewards.RewardCreated.v1', fields: { ...ofReward, terms: open } }),
  defineEvent<RewardChanged>({ type: 'rewards.RewardChanged.v1', fields: { ...ofReward, terms: open } }),
  defineEvent<RewardDeactivated>({ type: 'rewards.RewardDeactivated.v1', fields: ofReward }),
  defineEvent<RewardActivated>({ type: 'rewards.RewardActivated.v1', fields: ofReward }),
  defineEvent<StockReserved>({
    type: 'rewards.StockReserved.v1',
    fields: { ...ofReward, redemptionId: open, contactId: open, deadline: open },
  }),
  defineEvent<StockConfirmed>({
    type: 'rewards.StockConfirmed.v1',
    fields: { ...ofReward, redemptionId: open },
  }),
  defineEvent<StockReleased>({
    type: 'rewards.StockReleased.v1',
    fields: { ...ofReward, redemptionId: open, cause: open },
  }),
];

export const rewardStream = (rewardId: string): string => `reward-${rewardId}`;
