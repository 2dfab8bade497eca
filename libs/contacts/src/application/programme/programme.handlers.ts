import { CommandHandler, QueryHandler, type ICommandHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DecisionRunner } from '@app/event-store';
import type { Outcome } from '@app/kernel';
import { ReadGate } from '@app/read-store';
import { programmeDecider, type Programme } from '../../domain/programme.decider';
import { PROGRAMME_STREAM } from '../../domain/programme.events';
import { CurrentProgramme } from './current-programme';
import { ChangeProgrammeCommand, GetProgrammeQuery } from './programme.messages';

@CommandHandler(ChangeProgrammeCommand)
export class ChangeProgrammeHandler implements ICommandHandler<ChangeProgrammeCommand> {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly current: CurrentProgramme,
  ) {}

  async execute({ programme, context }: ChangeProgrammeCommand): Promise<Outcome<Programme>> {
    const command = { type: 'ChangeProgramme', programme, now: context.now } as const;
    try {
      const outcome = await this.decisions.run(programmeDecider, PROGRAMME_STREAM, command, context);
      return outcome as Outcome<Programme>;
    } finally {
      // Also after an outcome that is unknown.
      this.current.forget();
    }
  }
}

@QueryHandler(GetProgrammeQuery)
export class GetProgrammeHandler implements IQueryHandler<GetProgrammeQuery> {
  constructor(
    private readonly current: CurrentProgramme,
    private readonly gate: ReadGate,
  ) {}

  async execute({ minPosition }: GetProgrammeQuery): Promise<Programme & { asOfPosition: string }> {
    const asOfPosition = await this.gate.wait(minPosition);
    const { purchases, checkIn } = await this.current.latest();
    return { purchases, checkIn, asOfPosition: asOfPosition.toString() };
  }
}
