import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { contactDecider, contactStream, type AbandonmentAnswer } from '@app/contacts';
import { DecisionRunner } from '@app/event-store';
import type { CommandContext } from '@app/kernel';
import {
  rewardDecider,
  type Redeemable,
  type RedemptionRef,
  type RewardAnswer,
  type RewardCommand,
} from '../domain/reward.decider';
import { RewardNotFoundError, RewardOutOfStockError } from '../domain/reward.errors';
import { rewardStream } from '../domain/reward.events';

/** How long a redemption may take from setting a piece aside to paying for it. */
const RESERVATION_MS = 60_000;
/** So many overdue reservations are settled for the sake of one redemption. */
const SETTLED_AT_ONCE_MAX = 20;

/** A piece set aside for one attempt at a redemption. */
export type Hold = RedemptionRef & Readonly<{ rewardId: string; reservationId: string }>;

export type Reserved = Readonly<{ kind: 'reserved'; terms: Redeemable; hold: Hold | null }>;
export type MembersOnly = Readonly<{ kind: 'membersOnly'; segmentId: string }>;

/**
 * The stock's side of a redemption, which spans two streams: a piece is set aside on the reward's, the contact pays on its
 * own, then the piece is confirmed or released. Each step can be made again, and whatever a crash leaves open is settled
 * by `settle`: it asks the contact's stream, where it writes that the redemption is abandoned unless it is there. A slow
 * original then conflicts at that verdict, so that a piece given back is never also paid for.
 */
@Injectable()
export class RewardStock {
  constructor(private readonly decisions: DecisionRunner) {}

  /**
   * `memberOf`: a segment that the contact is known to be in. Where the reward is for the members of another one, that is
   * what is answered, and nothing is set aside. `hold` is null where stock is without limit. Throws RewardNotFoundError,
   * RewardNotAvailableError, RewardOutOfStockError.
   */
  async reserve(
    rewardId: string,
    redemption: RedemptionRef,
    memberOf: string | undefined,
    context: CommandContext,
  ): Promise<Reserved | MembersOnly> {
    const hold = { ...redemption, rewardId, reservationId: randomUUID() };
    const deadline = new Date(Date.parse(context.now) + RESERVATION_MS).toISOString();
    const command = { type: 'ReserveStock', ...hold, deadline, memberOf, now: context.now } as const;
    const { redeemable, membersOf } = await this.run(command, context).catch(async (error: unknown) => {
      if (!(error instanceof RewardOutOfStockError)) throw error;
      if (!(await this.settleOverdue(rewardId, context))) throw error;
      return this.run(command, context);
    });
    if (membersOf !== undefined) return { kind: 'membersOnly', segmentId: membersOf };
    if (redeemable === undefined) throw new Error('A reservation answers with the terms it was made on.');
    return { kind: 'reserved', terms: redeemable, hold: redeemable.held ? hold : null };
  }

  async confirm(hold: Hold, context: CommandContext): Promise<void> {
    await this.run({ type: 'ConfirmStock', ...hold, now: context.now }, context);
  }

  async release(hold: Hold, cause: 'refused' | 'abandoned', context: CommandContext): Promise<void> {
    await this.run({ type: 'ReleaseStock', ...hold, cause, now: context.now }, context);
  }

  /** A cancelled redemption gives its piece back, if it holds one. */
  async giveBack(rewardId: string, redemption: RedemptionRef, context: CommandContext): Promise<void> {
    await this.run({ type: 'ReturnStock', rewardId, ...redemption, now: context.now }, context);
  }

  /** Brings a redemption whose outcome is open to its end, whichever that is. */
  async settle(hold: Hold, context: CommandContext): Promise<void> {
    const { contactId, redemptionId, rewardId } = hold;
    const { answer } = await this.decisions.run(
      contactDecider,
      contactStream(contactId),
      { type: 'AbandonRedemption', contactId, redemptionId, rewardId, now: context.now },
      { ...beside(context), command: { name: 'AbandonRedemption', action: 'contact.command' } },
    );
    const { verdict } = answer as AbandonmentAnswer;
    if (verdict === 'abandoned') await this.release(hold, 'abandoned', context);
    else if (verdict === 'cancelled') await this.giveBack(rewardId, { contactId, redemptionId }, context);
    else await this.confirm(hold, context);
  }

  private async settleOverdue(rewardId: string, context: CommandContext): Promise<boolean> {
    const { state } = await this.decisions.read(rewardDecider, rewardStream(rewardId));
    if (state.status === 'unknown') throw new RewardNotFoundError();
    const overdue = [...state.reserved]
      .filter(([, { deadline }]) => deadline < context.now)
      .slice(0, SETTLED_AT_ONCE_MAX);
    for (const [reservationId, { contactId, redemptionId }] of overdue) {
      await this.settle({ rewardId, reservationId, contactId, redemptionId }, context);
    }
    return overdue.length > 0;
  }

  private async run(command: RewardCommand, context: CommandContext): Promise<RewardAnswer> {
    const stream = rewardStream(command.rewardId);
    const { answer } = await this.decisions.run(rewardDecider, stream, command, beside(context));
    return answer;
  }
}

/** The context of a step beside the caller's own command: its name, its retries and its If-Match do not concern this stream. */
const beside = ({ expectedRevision: _, command: __, ...context }: CommandContext): CommandContext => ({
  ...context,
  repeatable: false,
});
