import { Command } from '@nestjs/cqrs';
import type { CommandContext, Outcome } from '@app/kernel';
import type { LegalGround } from '../../domain/contact.events';
import type { ErasureAnswer } from '../../domain/erasure.decisions';

export type { ErasureAnswer };

export type ErasureWish = Readonly<{
  legalGround?: LegalGround | undefined;
  /** ISO 8601; at once if not given. */
  coolingOff?: string | undefined;
}>;

/** Asks for a contact's erasure, which is carried out behind the answer, or when it has cooled off. */
export class EraseContactCommand extends Command<Outcome<ErasureAnswer>> {
  constructor(
    readonly contactId: string,
    readonly wish: ErasureWish,
    readonly context: CommandContext,
  ) {
    super();
  }
}

/** Takes an erasure back while it cools off. */
export class CancelErasureCommand extends Command<Outcome<ErasureAnswer>> {
  constructor(
    readonly contactId: string,
    readonly context: CommandContext,
  ) {
    super();
  }
}
