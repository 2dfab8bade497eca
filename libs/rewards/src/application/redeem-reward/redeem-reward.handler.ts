import { randomBytes } from 'node:crypto';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { contactDecider, contactStream, registered, type RedemptionAnswer } from '@app/contacts';
import { DecisionRunner, StaleRevisionError } from '@app/event-store';
import { DomainError, type Outcome } from '@app/kernel';
import type { Redeemable } from '../../domain/reward.decider';
import { RewardStock } from '../reward-stock';
import { RedeemRewardCommand } from './redeem-reward.command';

/** Crockford's base 32: without letters that look like digits. */
const CODE_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE_CHARS = 10;

/** For a redemption that the contact's stream knows: it answers as before or refuses, and nothing is decided on terms. */
const NO_TERMS: Redeemable = {
  price: { pool: 'main', points: 0 },
  limitPerContact: null,
  redemptionType: 'inStore',
  held: false,
};

@CommandHandler(RedeemRewardCommand)
export class RedeemRewardHandler implements ICommandHandler<RedeemRewardCommand> {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly stock: RewardStock,
  ) {}

  async execute(command: RedeemRewardCommand): Promise<Outcome<RedemptionAnswer>> {
    const { contactId, rewardId, redemptionId, context } = command;
    // A retry must get its answer also when the last piece is gone: it may be its own.
    const { state: contact } = await this.decisions.read(contactDecider, contactStream(contactId));
    if (contact.redemptions.has(redemptionId)) return this.pay(command, NO_TERMS);
    // Before a piece is held for somebody who cannot have it.
    registered(contact);
    const { terms, hold } = await this.stock.reserve(rewardId, { contactId, redemptionId }, context);
    if (hold === null) return this.pay(command, terms);
    let outcome: Outcome<RedemptionAnswer>;
    try {
      outcome = await this.pay(command, terms);
    } catch (error) {
      if (isRefusal(error)) await this.stock.release(hold, 'refused', context);
      throw error;
    }
    await this.stock.confirm(hold, context);
    return outcome;
  }

  private pay(
    { contactId, rewardId, redemptionId, context }: RedeemRewardCommand,
    { price, limitPerContact, redemptionType }: Redeemable,
  ): Promise<Outcome<RedemptionAnswer>> {
    const command = {
      type: 'RedeemReward',
      contactId,
      redemptionId,
      rewardId,
      code: newCode(),
      redemptionType,
      pool: price.pool,
      points: price.points,
      limitPerContact,
      now: context.now,
    } as const;
    // The code and the price of the day are no part of what makes a resend the same.
    const payload = { rewardId, redemptionId };
    return this.decisions.run(contactDecider, contactStream(contactId), command, context, {
      payload,
    }) as Promise<Outcome<RedemptionAnswer>>;
  }
}

/** Refused for certain. After anything else the redemption may have come to be: the hold stays until it is settled. */
const isRefusal = (error: unknown): boolean =>
  error instanceof StaleRevisionError || (error instanceof DomainError && error.kind !== 'unavailable');

const newCode = (): string =>
  Array.from(randomBytes(CODE_CHARS), (byte) => CODE_ALPHABET[byte % CODE_ALPHABET.length]).join('');
