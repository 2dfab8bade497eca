import { setTimeout as sleep } from 'node:timers/promises';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { newEntityId } from '@app/http';
import type { Outcome } from '@app/kernel';
import { ReadGate } from '@app/read-store';
import type { ErasureAnswer } from '../../domain/erasure.decisions';
import { ContactDecisions } from '../contact-decisions';
import { CancelErasureCommand, EraseContactCommand } from './erase-contact.commands';
import { ErasureBackground } from './erasure-background';

/** How long the answer waits for the read models; where they are further behind, readers may see the contact until they are not. */
const HIDDEN_WAIT_MS = 1_000;

@CommandHandler(EraseContactCommand)
export class EraseContactHandler implements ICommandHandler<EraseContactCommand> {
  constructor(
    private readonly decisions: ContactDecisions,
    private readonly background: ErasureBackground,
    private readonly gate: ReadGate,
  ) {}

  async execute({ contactId, wish, context }: EraseContactCommand): Promise<Outcome<ErasureAnswer>> {
    const { legalGround = 'noLongerNeeded', coolingOff = 'P0D' } = wish;
    const outcome = await this.decisions.run<ErasureAnswer>(
      {
        type: 'EraseContact',
        contactId,
        now: context.now,
        erasureId: newEntityId(context, 'erasure'),
        legalGround,
        coolingOff,
      },
      context,
      { legalGround, coolingOff },
    );
    if (outcome.answer.state === 'executing') {
      this.background.start(contactId, context);
      await this.hidden(outcome.position);
    }
    return outcome;
  }

  /** Who has been told that a contact is being erased expects to see nothing of it, with whatever read comes next. */
  private async hidden(position: bigint): Promise<void> {
    const waited = this.gate.wait(position).catch(() => undefined);
    await Promise.race([waited, sleep(HIDDEN_WAIT_MS, undefined, { ref: false })]);
  }
}

@CommandHandler(CancelErasureCommand)
export class CancelErasureHandler implements ICommandHandler<CancelErasureCommand> {
  constructor(private readonly decisions: ContactDecisions) {}

  execute({ contactId, context }: CancelErasureCommand): Promise<Outcome<ErasureAnswer>> {
    return this.decisions.run({ type: 'CancelErasure', contactId, now: context.now }, context, {});
  }
}
