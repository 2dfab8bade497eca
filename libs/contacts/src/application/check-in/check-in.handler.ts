import { randomUUID } from 'node:crypto';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Outcome } from '@app/kernel';
import { ContactDecisions } from '../contact-decisions';
import { CurrentProgramme } from '../programme/current-programme';
import { CheckInCommand, type CheckInAnswer } from './check-in.command';

@CommandHandler(CheckInCommand)
export class CheckInHandler implements ICommandHandler<CheckInCommand> {
  constructor(
    private readonly decisions: ContactDecisions,
    private readonly programme: CurrentProgramme,
  ) {}

  async execute({ contactId, details, context }: CheckInCommand): Promise<Outcome<CheckInAnswer>> {
    const { checkIn: earning } = await this.programme.get();
    const { checkInId = randomUUID(), locationId, occurredAt } = details;
    return this.decisions.run(
      { type: 'CheckIn', contactId, now: context.now, checkInId, locationId, occurredAt, earning },
      context,
      details,
    );
  }
}
