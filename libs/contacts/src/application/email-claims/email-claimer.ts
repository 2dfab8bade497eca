import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DecisionRunner, EventStore } from '@app/event-store';
import type { CommandContext, Outcome } from '@app/kernel';
import { ReadGate } from '@app/read-store';
import { contactDecider } from '../../domain/contact.decider';
import { EmailClaimLostError, EmailTakenError } from '../../domain/contact.errors';
import { contactStream } from '../../domain/contact.events';
import type { ClaimSettlement } from '../../domain/email-claims.decisions';
import { isRefusal } from '../refusal';
import { ownContext } from '../system-context';
import { EmailClaims, type PendingClaim } from './email-claims.port';

/** Longer than a command may take, so that recoveries do not get in the way of what is under way. */
const CLAIM_TIME_MS = 60_000;
const READ_MODEL_BEHIND_MS = 10_000;
const ATTEMPTS_MAX = 5;
/** For one claim of a sweep. */
const SETTLE_TIME_MS = 10_000;

/** What became of a pending claim. `open`: nothing yet. */
type Fate = ClaimSettlement['verdict'] | 'open';

/**
 * Keeps e-mails unique among contacts, though each contact is a stream of its own: claim, append, and the read model confirms.
 *
 * A pending claim keeps others from the e-mail from before the append until the read model shows the holder. It is removed in
 * three ways only. By the command that made it, when it was refused and no other command relies on it. By whoever finds it
 * past its deadline, once the contact's stream has said either that an event was written under it (and the read model
 * shows it, or the e-mail is free again), or that none ever will be: EmailClaimAbandoned. So a command that was slow, or whose
 * process came back from a pause, finds its claim given up on its own stream, and claims anew.
 */
@Injectable()
export class EmailClaimer {
  private claimable: Promise<void> | undefined;

  constructor(
    private readonly claims: EmailClaims,
    private readonly decisions: DecisionRunner,
    private readonly events: EventStore,
    private readonly gate: ReadGate,
  ) {}

  /**
   * Runs `append` under a claim on the hash for the contact. Throws EmailTakenError where another contact has the e-mail or is
   * about to, EmailClaimLostError where it keeps being given up, ReadBehindError while the read model is being built.
   */
  async underClaim<A extends object>(
    hash: string,
    contactId: string,
    context: CommandContext,
    append: (claimId: string | undefined) => Promise<Outcome<A>>,
  ): Promise<Outcome<A>> {
    for (let attempt = 1; ; attempt += 1) {
      const claim = await this.claim(hash, contactId, context).catch((error: unknown) =>
        error instanceof EmailTakenError ? error : Promise.reject(error as Error),
      );
      if (claim instanceof EmailTakenError) return this.answeredBefore(claim, context, append);
      try {
        const outcome = await append(claim.claimId);
        if (outcome.replayed) await this.giveUp(claim);
        return outcome;
      } catch (error) {
        if (error instanceof EmailClaimLostError) {
          await this.settle(claim, context);
          if (attempt < ATTEMPTS_MAX) continue;
        } else if (isRefusal(error)) {
          await this.giveUp(claim);
        }
        throw error;
      }
    }
  }

  /** Settles claims past their deadline; any number of processes may do so at once. Answers how many are gone. */
  async settleOverdue(context: CommandContext, limit: number): Promise<number> {
    const overdue = await this.claims.overdue(new Date(context.now), limit);
    const holders = await this.claims.holders(overdue.map(({ hash }) => hash));
    let settled = 0;
    for (const claim of overdue) {
      if (holders.get(claim.hash)?.claimId === claim.claimId) await this.claims.drop(claim);
      else if ((await this.settle(claim, { ...context, deadlineMs: Date.now() + SETTLE_TIME_MS })) === 'held')
        continue;
      settled += 1;
    }
    return settled;
  }

  /** A retry gets its first answer also after its contact has given the e-mail up and another has taken it. */
  private async answeredBefore<A extends object>(
    taken: EmailTakenError,
    { repeatable }: CommandContext,
    append: (claimId: undefined) => Promise<Outcome<A>>,
  ): Promise<Outcome<A>> {
    if (!repeatable) throw taken;
    return append(undefined).catch((error: unknown) => {
      throw error instanceof EmailClaimLostError ? taken : error;
    });
  }

  private async claim(hash: string, contactId: string, context: CommandContext): Promise<PendingClaim> {
    await this.readModelBuilt();
    const deadline = new Date(Date.parse(context.now) + CLAIM_TIME_MS);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const claim = { hash, contactId, claimId: randomUUID(), deadline, shared: false };
      if (await this.claims.insert(claim)) {
        if (!(await this.isHeldByAnother(claim))) return claim;
        await this.claims.drop(claim, { unlessShared: true });
        throw new EmailTakenError();
      }
      const pending = await this.claims.pending(hash);
      if (!pending) continue;
      if (pending.contactId === contactId) {
        if (await this.claims.share(pending, deadline)) return { ...pending, shared: true };
      } else if (!(await this.isFree(pending, context))) {
        throw new EmailTakenError();
      }
    }
    throw new EmailTakenError();
  }

  /** Another contact's pending claim need not keep its e-mail. */
  private async isFree(pending: PendingClaim, context: CommandContext): Promise<boolean> {
    if (pending.deadline <= new Date(context.now)) {
      const fate = await this.settle(pending, context);
      return fate === 'released' || fate === 'abandoned';
    }
    const fate = await this.fateOf(pending);
    if (fate === 'held' || fate === 'open') return false;
    await this.claims.drop(pending);
    return true;
  }

  /** By the read model, and then, since that may be behind, by the holder's own stream. */
  private async isHeldByAnother({ hash, contactId }: PendingClaim): Promise<boolean> {
    const holder = (await this.claims.holders([hash])).get(hash);
    if (!holder || holder.contactId === contactId) return false;
    const { state } = await this.decisions.read(contactDecider, contactStream(holder.contactId));
    return state.status === 'active' && state.emailClaim === hash;
  }

  private async fateOf({ contactId, claimId }: PendingClaim): Promise<Fate> {
    const { state } = await this.decisions.read(contactDecider, contactStream(contactId));
    const verdict = state.claims.get(claimId);
    if (verdict === undefined) return 'open';
    if (verdict === 'abandoned') return 'abandoned';
    return state.status === 'active' && state.claimId === claimId ? 'held' : 'released';
  }

  /** Has the contact's stream say what became of the claim, for good; removes it where nothing depends on it any more. */
  private async settle(claim: PendingClaim, context: CommandContext): Promise<ClaimSettlement['verdict']> {
    const { contactId, claimId, hash } = claim;
    const { answer } = await this.decisions.run(
      contactDecider,
      contactStream(contactId),
      { type: 'AbandonEmailClaim', contactId, claimId, now: context.now },
      ownContext(context, 'when-claim-is-overdue-then-settle'),
    );
    const { verdict } = answer as ClaimSettlement;
    // The very claim: an older one of this contact's may be about to be folded as released.
    if (verdict !== 'held' || (await this.claims.holders([hash])).get(hash)?.claimId === claimId) {
      await this.claims.drop(claim);
    } else {
      await this.claims.postpone(claim, new Date(Date.parse(context.now) + READ_MODEL_BEHIND_MS));
    }
    return verdict;
  }

  /** Drops a claim under which this command wrote nothing, unless something was written or may be by another command. */
  private async giveUp(claim: PendingClaim): Promise<void> {
    if ((await this.fateOf(claim)) === 'open') await this.claims.drop(claim, { unlessShared: true });
  }

  /**
   * A read model that is still being built knows too few holders. Once it has reached where the log ended when this process
   * first asked, every later holder has a pending claim until it is shown.
   */
  private readModelBuilt(): Promise<void> {
    this.claimable ??= this.waitForReadModel().catch((error: unknown) => {
      this.claimable = undefined;
      throw error;
    });
    return this.claimable;
  }

  private async waitForReadModel(): Promise<void> {
    await this.gate.wait((await this.events.head()) ?? undefined);
  }
}
