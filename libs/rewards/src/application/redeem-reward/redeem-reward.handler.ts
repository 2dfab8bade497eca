import { randomBytes } from 'node:crypto';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { contactDecider, contactStream, registered, type RedemptionAnswer } from '@app/contacts';
import { DecisionRunner, StaleRevisionError, StreamBusyError } from '@app/event-store';
import { DomainError, type CommandContext, type Outcome } from '@app/kernel';
import type { Redeemable } from '../../domain/reward.decider';
import { NotInSegmentError, SegmentNotActiveError } from '../../domain/reward.errors';
import { RewardAudience } from '../reward-audience.port';
import { RewardStock, type Reserved } from '../reward-stock';
import { RedeemRewardCommand } from './redeem-reward.command';

/** Crockford's base 32: without letters that look like digits. */
const CODE_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE_CHARS = 10;

/** For a redemption that the contact's stream knows: it answers as before or refuses, and nothing is decided on terms. */
const NO_TERMS: Redeemable = {
  price: { pool: 'main', points: 0 },
  limitPerContact: null,
  redemptionType: 'inStore',
  segmentId: null,
  held: false,
};

/** A contact is a member at one revision of its stream; `revision` is null where the reward is for everybody. */
type Admission = Readonly<{ revision: number | null }>;

const EVERYBODY: Admission = { revision: null };

@CommandHandler(RedeemRewardCommand)
export class RedeemRewardHandler implements ICommandHandler<RedeemRewardCommand> {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly stock: RewardStock,
    private readonly audience: RewardAudience,
  ) {}

  async execute(command: RedeemRewardCommand): Promise<Outcome<RedemptionAnswer>> {
    const { contactId, redemptionId, context } = command;
    // A retry must get its answer also when the last piece is gone: it may be its own.
    const { state: contact } = await this.decisions.read(contactDecider, contactStream(contactId));
    if (contact.redemptions.has(redemptionId)) return this.pay(command, NO_TERMS, EVERYBODY);
    // Before a piece is held for somebody who cannot have it.
    registered(contact);
    const { reserved, admission } = await this.reserve(command);
    const { terms, hold } = reserved;
    if (hold === null) return this.payAdmitted(command, terms, admission);
    let outcome: Outcome<RedemptionAnswer>;
    try {
      outcome = await this.payAdmitted(command, terms, admission);
    } catch (error) {
      if (isRefusal(error)) await this.stock.release(hold, 'refused', context);
      throw error;
    }
    await this.stock.confirm(hold, context);
    return outcome;
  }

  /** For members only a piece is set aside once the contact is known to be one. */
  private async reserve(
    command: RedeemRewardCommand,
  ): Promise<Readonly<{ reserved: Reserved; admission: Admission }>> {
    const { rewardId, contactId, redemptionId, context } = command;
    let admission = EVERYBODY;
    for (let memberOf: string | undefined; ;) {
      const reserved = await this.stock.reserve(rewardId, { contactId, redemptionId }, memberOf, context);
      if (reserved.kind === 'reserved') return { reserved, admission };
      inTime(context);
      memberOf = reserved.segmentId;
      admission = await this.admit(command, memberOf);
    }
  }

  /** Throws NotInSegmentError, SegmentNotActiveError, and what is thrown where nobody knows in time. */
  private async admit({ contactId, context }: RedeemRewardCommand, segmentId: string): Promise<Admission> {
    for (;;) {
      const { state, revision } = await this.decisions.read(contactDecider, contactStream(contactId));
      registered(state);
      if (revision === null) throw new Error('A registered contact has a stream.');
      const { expectedRevision } = context;
      if (expectedRevision !== undefined && expectedRevision !== revision) {
        throw new StaleRevisionError(expectedRevision, revision);
      }
      switch (await this.audience.standingOf(contactId, segmentId, revision, context.now)) {
        case 'member':
          return { revision };
        case 'notMember':
          throw new NotInSegmentError(segmentId);
        case 'notActive':
          throw new SegmentNotActiveError(segmentId);
        case 'moved':
          inTime(context);
      }
    }
  }

  /** A member pays at the revision at which it is one; where the stream has moved on, that is found out again. */
  private async payAdmitted(
    command: RedeemRewardCommand,
    terms: Redeemable,
    admission: Admission,
  ): Promise<Outcome<RedemptionAnswer>> {
    const { segmentId } = terms;
    if (segmentId === null) return this.pay(command, terms, EVERYBODY);
    for (let admitted = admission; ;) {
      try {
        return await this.pay(command, terms, admitted);
      } catch (error) {
        if (!(error instanceof StaleRevisionError)) throw error;
        inTime(command.context);
        admitted = await this.admit(command, segmentId);
      }
    }
  }

  private pay(
    { contactId, rewardId, redemptionId, context }: RedeemRewardCommand,
    { price, limitPerContact, redemptionType }: Redeemable,
    { revision }: Admission,
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
    const at = revision === null ? context : { ...context, expectedRevision: revision };
    return this.decisions.run(contactDecider, contactStream(contactId), command, at, {
      payload,
    }) as Promise<Outcome<RedemptionAnswer>>;
  }
}

/** Throws StreamBusyError. */
const inTime = ({ deadlineMs }: CommandContext): void => {
  if (Date.now() >= deadlineMs) throw new StreamBusyError();
};

/** Refused for certain. After anything else the redemption may have come to be: the hold stays until it is settled. */
const isRefusal = (error: unknown): boolean =>
  error instanceof StaleRevisionError || (error instanceof DomainError && error.kind !== 'unavailable');

const newCode = (): string =>
  Array.from(randomBytes(CODE_CHARS), (byte) => CODE_ALPHABET[byte % CODE_ALPHABET.length]).join('');
