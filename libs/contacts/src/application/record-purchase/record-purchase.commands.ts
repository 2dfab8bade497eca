import { Command } from '@nestjs/cqrs';
import type { CommandContext, Outcome } from '@app/kernel';
import type { Money, PurchaseItem } from '../../domain/contact.events';

export type Purchase = Readonly<{
  invoiceNumber: string;
  amount: Money;
  locationId?: string | undefined;
  items?: readonly PurchaseItem[] | undefined;
  occurredAt?: string | undefined;
}>;
export type PurchaseAnswer = Readonly<{
  purchaseId: string;
  pointsEarned: number;
  pool: string;
  balance: number;
}>;
export type ReturnAnswer = Readonly<{
  purchaseId: string;
  pointsTakenBack: number;
  pool: string;
  balance: number;
}>;

/** Records a purchase and the points it earns by the programme as it stands. One invoice number of a contact is one purchase. */
export class RecordPurchaseCommand extends Command<Outcome<PurchaseAnswer>> {
  constructor(
    readonly contactId: string,
    readonly purchase: Purchase,
    readonly context: CommandContext,
  ) {
    super();
  }
}

export type Return = Readonly<{ reason?: string | undefined; occurredAt?: string | undefined }>;

/** Takes a purchase back as a whole, and the points it earned. */
export class ReturnPurchaseCommand extends Command<Outcome<ReturnAnswer>> {
  constructor(
    readonly contactId: string,
    readonly purchaseId: string,
    readonly details: Return,
    readonly context: CommandContext,
  ) {
    super();
  }
}
