import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { newEntityId } from '@app/http';
import type { Outcome } from '@app/kernel';
import type { ErasureAnswer } from '../../domain/erasure.decisions';
import { ContactDecisions } from '../contact-decisions';
import { CancelErasureCommand, EraseContactCommand } from './erase-contact.commands';
import { ErasureBackground } from './erasure-background';

@CommandHandler(EraseContactCommand)
export class EraseContactHandler implements ICommandHandler<EraseContactCommand> {
  constructor(
    private readonly decisions: ContactDecisions,
    private readonly background: ErasureBackground,
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
    if (outcome.answer.state === 'executing') this.background.start(contactId, context);
    return outcome;
  }
}

@CommandHandler(CancelErasureCommand)
export class CancelErasureHandler implements ICommandHandler<CancelErasureCommand> {
  constructor(private readonly decisions: ContactDecisions) {}

  execute({ contactId, context }: CancelErasureCommand): Promise<Outcome<ErasureAnswer>> {
    return this.decisions.run({ type: 'CancelErasure', contactId, now: context.now }, context, {});
  }
}
