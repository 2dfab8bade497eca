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
type OfRedemption = OfReward & { contactId: string; redemptionId: string };
/**
 * One piece is set aside until `deadline` for one attempt at a redemption. Attempts have ids of their own: of two requests
 * for one redemption, the one that is refused must not give back the piece that the other pays for.
 */
export type StockReserved = DomainEvent<
  'rewards.StockReserved.v1',
  OfRedemption & { reservationId: string; deadline: string }
>;
export type StockConfirmed = DomainEvent<
  'rewards.StockConfirmed.v1',
  OfRedemption & { reservationId: string }
>;
/**
 * `refused`, `abandoned`: the redemption did not come to be. `superseded`: another attempt at it holds a piece.
 * `cancelled`: it came to be and was undone.
 */
export type ReleaseCause = 'refused' | 'abandoned' | 'superseded' | 'cancelled';
export type StockReleased = DomainEvent<
  'rewards.StockReleased.v1',
  OfRedemption & {
    cause: ReleaseCause;
    /** The reservations that end with it. */
    reservationIds: readonly string[];
    /** Whether a confirmed piece comes back. */
    confirmed: boolean;
  }
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
const ofRedemption = { ...ofReward, contactId: open, redemptionId: open } as const;

export const rewardEventDefinitions: readonly EventDefinition[] = [
  defineEvent<RewardCreated>({ type: 'rewards.RewardCreated.v1', fields: { ...ofReward, terms: open } }),
  defineEvent<RewardChanged>({ type: 'rewards.RewardChanged.v1', fields: { ...ofReward, terms: open } }),
  defineEvent<RewardDeactivated>({ type: 'rewards.RewardDeactivated.v1', fields: ofReward }),
  defineEvent<RewardActivated>({ type: 'rewards.RewardActivated.v1', fields: ofReward }),
  defineEvent<StockReserved>({
    type: 'rewards.StockReserved.v1',
    fields: { ...ofRedemption, reservationId: open, deadline: open },
  }),
  defineEvent<StockConfirmed>({
    type: 'rewards.StockConfirmed.v1',
    fields: { ...ofRedemption, reservationId: open },
  }),
  defineEvent<StockReleased>({
    type: 'rewards.StockReleased.v1',
    fields: { ...ofRedemption, cause: open, reservationIds: open, confirmed: open },
  }),
];

export const rewardStream = (rewardId: string): string => `reward-${rewardId}`;
