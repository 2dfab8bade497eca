import { Command } from '@nestjs/cqrs';
import type { CommandContext, Outcome } from '@app/kernel';

export type CheckInDetails = Readonly<{
  checkInId?: string | undefined;
  locationId?: string | undefined;
  occurredAt?: string | undefined;
}>;
export type CheckInAnswer = Readonly<{
  checkInId: string;
  pointsEarned: number;
  pool: string;
  balance: number;
}>;

/** Records a visit and the points it earns by the programme as it stands. One check-in id of a contact is one visit. */
export class CheckInCommand extends Command<Outcome<CheckInAnswer>> {
  constructor(
    readonly contactId: string,
    readonly details: CheckInDetails,
    readonly context: CommandContext,
  ) {
    super();
  }
}
