import { randomUUID } from 'node:crypto';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Outcome } from '@app/kernel';
import { ContactDecisions } from '../contact-decisions';
import { CurrentProgramme } from '../programme/current-programme';
import {
  RecordPurchaseCommand,
  ReturnPurchaseCommand,
  type PurchaseAnswer,
  type ReturnAnswer,
} from './record-purchase.commands';

@CommandHandler(RecordPurchaseCommand)
export class RecordPurchaseHandler implements ICommandHandler<RecordPurchaseCommand> {
  constructor(
    private readonly decisions: ContactDecisions,
    private readonly programme: CurrentProgramme,
  ) {}

  async execute({ contactId, purchase, context }: RecordPurchaseCommand): Promise<Outcome<PurchaseAnswer>> {
    const { purchases: earning } = await this.programme.get();
    const { invoiceNumber, amount, locationId, items, occurredAt } = purchase;
    const details = { purchaseId: randomUUID(), invoiceNumber, amount, locationId, items, occurredAt };
    return this.decisions.run(
      { type: 'RecordPurchase', contactId, now: context.now, ...details, earning },
      context,
      purchase,
    );
  }
}

@CommandHandler(ReturnPurchaseCommand)
export class ReturnPurchaseHandler implements ICommandHandler<ReturnPurchaseCommand> {
  constructor(private readonly decisions: ContactDecisions) {}

  execute({
    contactId,
    purchaseId,
    details,
    context,
  }: ReturnPurchaseCommand): Promise<Outcome<ReturnAnswer>> {
    const { reason, occurredAt } = details;
    return this.decisions.run(
      { type: 'ReturnPurchase', contactId, now: context.now, purchaseId, reason, occurredAt },
      context,
      { purchaseId, ...details },
    );
  }
}
