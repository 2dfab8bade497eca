import type { Decider, Decision, RecordedEvent } from '@app/kernel';
import {
  InvalidTermsError,
  RewardAlreadyExistsError,
  RewardNotAvailableError,
  RewardNotFoundError,
  RewardOutOfStockError,
} from './reward.errors';
import type { ReleaseCause, RewardEvent, RewardTerms } from './reward.events';

/** Redemption ids are the contacts' own, so one is named by both. */
export type RedemptionRef = Readonly<{ contactId: string; redemptionId: string }>;
export type Reservation = RedemptionRef & Readonly<{ deadline: string }>;

/** A reward and who holds its pieces. */
export type Reward =
  | Readonly<{ status: 'unknown' }>
  | {
      readonly status: 'known';
      active: boolean;
      terms: RewardTerms;
      /** Pieces set aside for attempts at redemptions, by reservation id. */
      readonly reserved: Map<string, Reservation>;
      /** Redemptions that hold a piece for good. */
      readonly confirmed: Set<string>;
      /** Redemptions that were cancelled: they take no piece again. */
      readonly cancelled: Set<string>;
    };

export type CreateReward = Readonly<{
  type: 'CreateReward';
  rewardId: string;
  terms: RewardTerms;
  now: string;
}>;
export type ChangeReward = Readonly<{
  type: 'ChangeReward';
  rewardId: string;
  terms: Partial<RewardTerms>;
  active?: boolean;
  now: string;
}>;
export type DeactivateReward = Readonly<{ type: 'DeactivateReward'; rewardId: string; now: string }>;
type OnStock = RedemptionRef & Readonly<{ rewardId: string; now: string }>;
export type ReserveStock = OnStock &
  Readonly<{
    type: 'ReserveStock';
    reservationId: string;
    deadline: string;
    /** A segment that the contact is known to be in. */
    memberOf?: string | undefined;
  }>;
/** The redemption came to be. */
export type ConfirmStock = OnStock & Readonly<{ type: 'ConfirmStock'; reservationId: string }>;
/** The redemption did not come to be by this attempt. */
export type ReleaseStock = OnStock &
  Readonly<{ type: 'ReleaseStock'; reservationId: string; cause: ReleaseCause }>;
/** The redemption came to be and was cancelled. */
export type ReturnStock = OnStock & Readonly<{ type: 'ReturnStock' }>;
export type RewardCommand =
  CreateReward | ChangeReward | DeactivateReward | ReserveStock | ConfirmStock | ReleaseStock | ReturnStock;

/** What a redemption needs to know of the reward whose piece it asked for. */
export type Redeemable = Readonly<{
  price: RewardTerms['price'];
  limitPerContact: number | null;
  redemptionType: RewardTerms['redemptionType'];
  /** Whose members may have it; null: everybody. */
  segmentId: string | null;
  /** A piece is set aside, to be confirmed or released; false where stock is without limit. */
  held: boolean;
}>;
/** `membersOf`: nothing is set aside until the contact is known to be in this segment. */
export type RewardAnswer = Readonly<{ rewardId: string; redeemable?: Redeemable; membersOf?: string }>;
type Known = Extract<Reward, { status: 'known' }>;

/** Pieces nobody holds; null where stock is without limit. Never negative, also after the stock was lowered. */
export const remainingOf = ({ terms, reserved, confirmed }: Known): number | null =>
  terms.stock === null ? null : Math.max(0, terms.stock - reserved.size - confirmed.size);

/** Throws RewardNotAvailableError unless the reward can be redeemed at `now`, stock aside. */
export const assertAvailable = (reward: Known, now: string): void => {
  const { validFrom, validUntil } = reward.terms;
  if (!reward.active) throw new RewardNotAvailableError('This reward is not active.');
  if (validFrom !== null && now < validFrom) {
    throw new RewardNotAvailableError(`This reward can be redeemed from ${validFrom} on.`);
  }
  if (validUntil !== null && now >= validUntil) {
    throw new RewardNotAvailableError(`This reward could be redeemed until ${validUntil}.`);
  }
};

const assertTerms = ({ validFrom, validUntil }: RewardTerms): void => {
  if (validFrom !== null && validUntil !== null && validFrom >= validUntil) {
    throw new InvalidTermsError('/validUntil', 'validUntil must be later than validFrom.');
  }
};

const known = (reward: Reward): Known => {
  if (reward.status === 'unknown') throw new RewardNotFoundError();
  return reward;
};

const changedTerms = (reward: Known, terms: Partial<RewardTerms>): Partial<RewardTerms> =>
  Object.fromEntries(
    Object.entries(terms).filter(
      ([field, value]) => JSON.stringify(value) !== JSON.stringify(reward.terms[field as keyof RewardTerms]),
    ),
  );

const decideChange = ({ rewardId, terms, active, now }: ChangeReward, state: Reward): RewardEvent[] => {
  const reward = known(state);
  const changed = changedTerms(reward, terms);
  assertTerms({ ...reward.terms, ...changed });
  const events: RewardEvent[] = [];
  if (Object.keys(changed).length > 0) {
    events.push({ type: 'rewards.RewardChanged.v1', data: { rewardId, terms: changed, occurredAt: now } });
  }
  if (active !== undefined && active !== reward.active) {
    const type = active ? 'rewards.RewardActivated.v1' : 'rewards.RewardDeactivated.v1';
    events.push({ type, data: { rewardId, occurredAt: now } });
  }
  return events;
};

const keyOf = ({ contactId, redemptionId }: RedemptionRef): string => `${contactId}/${redemptionId}`;

const stockFacts = ({ rewardId, contactId, redemptionId, now }: OnStock) => ({
  rewardId,
  contactId,
  redemptionId,
  occurredAt: now,
});

const isForOthers = ({ terms: { segmentId } }: Known, { memberOf }: ReserveStock): boolean =>
  segmentId !== null && segmentId !== memberOf;

const decideReservation = (command: ReserveStock, state: Reward): RewardEvent[] => {
  const reward = known(state);
  assertAvailable(reward, command.now);
  if (isForOthers(reward, command)) return [];
  const remaining = remainingOf(reward);
  if (remaining === null) return [];
  if (remaining === 0) throw new RewardOutOfStockError();
  const { reservationId, deadline } = command;
  return [{ type: 'rewards.StockReserved.v1', data: { ...stockFacts(command), reservationId, deadline } }];
};

const release = (command: OnStock, cause: ReleaseCause, reservationIds: readonly string[]): RewardEvent => ({
  type: 'rewards.StockReleased.v1',
  data: { ...stockFacts(command), cause, reservationIds, confirmed: false },
});

const decideConfirmation = (command: ConfirmStock, reward: Known): RewardEvent[] => {
  const { reservationId } = command;
  if (!reward.reserved.has(reservationId)) return [];
  if (reward.cancelled.has(keyOf(command))) return [release(command, 'cancelled', [reservationId])];
  if (reward.confirmed.has(keyOf(command))) return [release(command, 'superseded', [reservationId])];
  return [{ type: 'rewards.StockConfirmed.v1', data: { ...stockFacts(command), reservationId } }];
};

/** Noted also where no piece was held, so that nobody keeps asking for it. */
const decideReturn = (command: ReturnStock, reward: Known): RewardEvent[] => {
  const key = keyOf(command);
  if (reward.cancelled.has(key)) return [];
  const reservationIds = [...reward.reserved].filter(([, held]) => keyOf(held) === key).map(([id]) => id);
  const confirmed = reward.confirmed.has(key);
  return [
    {
      type: 'rewards.StockReleased.v1',
      data: { ...stockFacts(command), cause: 'cancelled', reservationIds, confirmed },
    },
  ];
};

const decideEvents = (command: RewardCommand, state: Reward): RewardEvent[] => {
  const { rewardId, now } = command;
  switch (command.type) {
    case 'CreateReward':
      if (state.status === 'known') throw new RewardAlreadyExistsError();
      assertTerms(command.terms);
      return [
        { type: 'rewards.RewardCreated.v1', data: { rewardId, terms: command.terms, occurredAt: now } },
      ];
    case 'ChangeReward':
      return decideChange(command, state);
    case 'DeactivateReward':
      return known(state).active
        ? [{ type: 'rewards.RewardDeactivated.v1', data: { rewardId, occurredAt: now } }]
        : [];
    case 'ReserveStock':
      return decideReservation(command, state);
    case 'ConfirmStock':
      return decideConfirmation(command, known(state));
    case 'ReleaseStock':
      return known(state).reserved.has(command.reservationId)
        ? [release(command, command.cause, [command.reservationId])]
        : [];
    case 'ReturnStock':
      return decideReturn(command, known(state));
  }
};

const decide = (command: RewardCommand, state: Reward): Decision<RewardEvent, RewardAnswer> => {
  const { rewardId } = command;
  const events = decideEvents(command, state);
  if (command.type !== 'ReserveStock') return { events, answer: { rewardId } };
  const reward = known(state);
  const { price, limitPerContact, redemptionType, segmentId } = reward.terms;
  if (segmentId !== null && isForOthers(reward, command)) {
    return { events, answer: { rewardId, membersOf: segmentId } };
  }
  const held = events.length > 0;
  const redeemable = { price, limitPerContact, redemptionType, segmentId, held };
  return { events, answer: { rewardId, redeemable } };
};

const evolve = (reward: Reward, event: RecordedEvent<RewardEvent>): Reward => {
  if (event.type === 'rewards.RewardCreated.v1') {
    return {
      status: 'known',
      active: true,
      terms: event.data.terms,
      reserved: new Map(),
      confirmed: new Set(),
      cancelled: new Set(),
    };
  }
  if (reward.status === 'unknown') return reward;
  switch (event.type) {
    case 'rewards.RewardChanged.v1':
      reward.terms = { ...reward.terms, ...event.data.terms };
      return reward;
    case 'rewards.RewardDeactivated.v1':
      reward.active = false;
      return reward;
    case 'rewards.RewardActivated.v1':
      reward.active = true;
      return reward;
    case 'rewards.StockReserved.v1': {
      const { reservationId, contactId, redemptionId, deadline } = event.data;
      reward.reserved.set(reservationId, { contactId, redemptionId, deadline });
      return reward;
    }
    case 'rewards.StockConfirmed.v1':
      reward.reserved.delete(event.data.reservationId);
      reward.confirmed.add(keyOf(event.data));
      return reward;
    case 'rewards.StockReleased.v1': {
      const { reservationIds, confirmed, cause } = event.data;
      for (const reservationId of reservationIds) reward.reserved.delete(reservationId);
      if (confirmed) reward.confirmed.delete(keyOf(event.data));
      if (cause === 'cancelled') reward.cancelled.add(keyOf(event.data));
      return reward;
    }
    default:
      return unreachable(event, reward);
  }
};

const unreachable = (_event: never, reward: Reward): Reward => reward;

/** The catalogue entry and its stock, which is never given out twice. */
export const rewardDecider: Decider<Reward, RewardCommand, RewardEvent, RewardAnswer> = {
  name: 'reward',
  initialState: () => ({ status: 'unknown' }),
  decide,
  evolve,
};
