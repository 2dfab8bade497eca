import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DecisionRunner, EventStore } from '@app/event-store';
import { Clock, type CommandContext, type Outcome } from '@app/kernel';
import { KeyRing } from '@app/personal-data';
import { ReadGate } from '@app/read-store';
import { contactDecider, type ContactCommand } from '../../domain/contact.decider';
import { contactStream } from '../../domain/contact.events';
import type { Erasure } from '../../domain/contact.state';
import { retainedUntil, type StepAnswer } from '../../domain/erasure.decisions';
import { ContactDecisions } from '../contact-decisions';
import { EmailClaims } from '../email-claims/email-claims.port';
import { ErasurePurge } from './erasure-purge';
import { SuppressionTokens } from './suppression-tokens';
import { lastPhoneOf } from './last-phone';
import { verifyErased } from './verify-erased';

/** For one command of one step. */
const STEP_TIME_MS = 10_000;
/** Each step brings an erasure to its next stage, of which there are few. */
const STEPS_MAX = 10;
const FORFEITS_MAX = 1_000;

/** A store still holds something of an erased contact in the clear. */
export class NotPurgedError extends Error {
  constructor(readonly store: string) {
    super(`The store ${store} still holds a record of an erased contact.`);
  }
}

const isUnreachable = ({ erasure: { stage } }: Standing): boolean =>
  stage === 'erased' || stage === 'completed';

type Standing = Readonly<{
  erasure: Readonly<Erasure>;
  hasPhone: boolean;
  retainedUntil: string | null;
}>;

/**
 * Carries erasures out: fence, points, suppression, e-mail, keys, read models, files, proof. Where an erasure stands is what
 * its contact's stream says, and each step is safe to be made again, so that whoever comes next goes on wherever it was
 * left, by a crash between any two steps or after any half of one; also two at once do no harm. Nothing is ever written as
 * erased before it is.
 */
@Injectable()
export class ErasureProcess {
  constructor(
    private readonly decisions: ContactDecisions,
    private readonly runner: DecisionRunner,
    private readonly events: EventStore,
    private readonly keyRing: KeyRing,
    private readonly gate: ReadGate,
    private readonly claims: EmailClaims,
    private readonly suppressions: SuppressionTokens,
    private readonly purge: ErasurePurge,
    private readonly clock: Clock,
  ) {}

  /**
   * Brings a contact's erasure as far as it can be brought now, or (`unreachable`) until nothing can be read any more. Throws what
   * stood in the way; the next call goes on.
   */
  async proceed(
    contactId: string,
    cause: CommandContext,
    upTo: 'unreachable' | 'end' = 'end',
  ): Promise<void> {
    for (let count = 0; count < STEPS_MAX; count += 1) {
      const standing = await this.standing(contactId);
      if (standing === null || (upTo === 'unreachable' && isUnreachable(standing))) return;
      if (!(await this.step(contactId, standing, cause))) return;
    }
  }

  /** False: there is nothing to do now. */
  private async step(contactId: string, standing: Standing, cause: CommandContext): Promise<boolean> {
    const { erasure } = standing;
    const now = this.now();
    switch (erasure.stage) {
      case 'coolingOff':
        if (erasure.executeAfter > now) return false;
        await this.run({ type: 'StartErasure', contactId, now }, cause);
        return true;
      case 'executing':
        await this.makeUnreachable(contactId, standing, cause);
        return true;
      case 'erased':
        await this.complete(contactId, erasure, cause);
        return true;
      case 'completed':
        if (erasure.retainedUntil === null || erasure.retainedUntil > now) return false;
        await this.destroyRetained(contactId, cause);
        return true;
    }
  }

  private async makeUnreachable(
    contactId: string,
    { erasure, hasPhone, retainedUntil: until }: Standing,
    cause: CommandContext,
  ): Promise<void> {
    let fenced = await this.run({ type: 'ForfeitPoints', contactId, now: this.now() }, cause);
    for (let count = 1; fenced.answer.more && count < FORFEITS_MAX; count += 1) {
      fenced = await this.run({ type: 'ForfeitPoints', contactId, now: this.now() }, cause);
    }
    const emailHash = erasure.releasedEmailClaim;
    if (!erasure.suppressed && this.suppressions.enabled) {
      const phone = hasPhone ? await lastPhoneOf(this.events.readStream(contactStream(contactId))) : null;
      const suppressionTokens = [
        ...(emailHash === null ? [] : [this.suppressions.ofEmail(emailHash)]),
        ...(phone === null ? [] : [this.suppressions.ofPhone(phone)]),
      ];
      if (suppressionTokens.length > 0)
        await this.run({ type: 'SuppressContact', contactId, now: this.now(), suppressionTokens }, cause);
    }
    // The read models find the e-mail they have to let go by its hash, which is sealed: while the key is still there.
    await this.gate.wait(fenced.position);
    if (emailHash !== null) await this.dropPendingClaim(contactId, emailHash);
    const held = await this.purge.held(contactId);
    const keyClasses = until === null ? (['personal', 'retained'] as const) : (['personal'] as const);
    const keys = await Promise.all(keyClasses.map((keyClass) => this.keyRing.destroy(contactId, keyClass)));
    const keyIds = keys.map(({ keyId }) => keyId);
    await this.run(
      { type: 'RecordErased', contactId, now: this.now(), keyIds, retainedUntil: until, held },
      cause,
    );
  }

  private async complete(
    contactId: string,
    { held, retainedUntil: until }: Readonly<Erasure>,
    cause: CommandContext,
  ): Promise<void> {
    const verified = await verifyErased(this.events.readStream(contactStream(contactId)), until !== null);
    await this.gate.wait(verified.position);
    const stores = await this.purge.purge(contactId, held);
    const left = stores.find(({ after }) => after > 0);
    if (left !== undefined) throw new NotPurgedError(left.store);
    const { valuesErased, valuesRetained } = verified;
    await this.run(
      { type: 'CompleteErasure', contactId, now: this.now(), valuesErased, valuesRetained, stores },
      cause,
    );
  }

  /** What is kept is sealed wherever it is, so nothing is left to purge once its key is destroyed. */
  private async destroyRetained(contactId: string, cause: CommandContext): Promise<void> {
    const { keyId } = await this.keyRing.destroy(contactId, 'retained');
    await verifyErased(this.events.readStream(contactStream(contactId)), false);
    await this.run({ type: 'RecordRetainedDestroyed', contactId, now: this.now(), keyIds: [keyId] }, cause);
  }

  /** Else it would keep the hash until its time is up. */
  private async dropPendingClaim(contactId: string, emailHash: string): Promise<void> {
    const pending = await this.claims.pending(emailHash);
    if (pending?.contactId === contactId) await this.claims.drop(pending);
  }

  private async standing(contactId: string): Promise<Standing | null> {
    const { state } = await this.runner.read(contactDecider, contactStream(contactId));
    if (state.status === 'unknown' || state.erasure === null) return null;
    const { erasure, hasPhone } = state;
    return { erasure: { ...erasure }, hasPhone, retainedUntil: retainedUntil(state, this.now()) };
  }

  private run(command: ContactCommand, cause: CommandContext): Promise<Outcome<StepAnswer>> {
    return this.decisions.run<StepAnswer>(
      command,
      {
        commandId: randomUUID(),
        repeatable: false,
        actor: { id: 'when-erasure-is-due-then-proceed', role: 'system', method: 'internal' },
        command: { name: command.type, action: 'erasure.step' },
        correlationId: cause.correlationId,
        causationId: cause.commandId,
        now: command.now,
        deadlineMs: Date.now() + STEP_TIME_MS,
      },
      {},
    );
  }

  private now(): string {
    return this.clock.now().toISOString();
  }
}
