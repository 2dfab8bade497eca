import { Command } from '@nestjs/cqrs';
import type { CommandContext, Outcome } from '@app/kernel';
import type { PointsAnswer } from '../../domain/points.decisions';

export type { PointsAnswer };

export type Movement = Readonly<{
  points: number;
  reason: string;
  /** Default: `main`. */
  pool?: string | undefined;
  note?: string | undefined;
  occurredAt?: string | undefined;
}>;

export class CreditPointsCommand extends Command<Outcome<PointsAnswer>> {
  constructor(
    readonly contactId: string,
    readonly movement: Movement & Readonly<{ expiresAt?: string | undefined }>,
    readonly context: CommandContext,
  ) {
    super();
  }
}

export class DebitPointsCommand extends Command<Outcome<PointsAnswer>> {
  constructor(
    readonly contactId: string,
    readonly movement: Movement,
    readonly context: CommandContext,
  ) {
    super();
  }
}

/** Undoes a credit or a debit; see its decision for what that means where points are spent or expired. */
export class ReversePointsCommand extends Command<Outcome<PointsAnswer & { reversedEntryId: string }>> {
  constructor(
    readonly contactId: string,
    readonly reversedEntryId: string,
    readonly context: CommandContext,
  ) {
    super();
  }
}
