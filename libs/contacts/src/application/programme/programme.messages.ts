import { Command, Query } from '@nestjs/cqrs';
import type { CommandContext, Outcome } from '@app/kernel';
import type { Programme } from '../../domain/programme.decider';

export type { Programme };

/** Replaces the programme as a whole. */
export class ChangeProgrammeCommand extends Command<Outcome<Programme>> {
  constructor(
    readonly programme: Programme,
    readonly context: CommandContext,
  ) {
    super();
  }
}

/** The programme at the head of its stream: no read model, so it never lags behind a command. */
export class GetProgrammeQuery extends Query<Programme & { asOfPosition: string }> {
  constructor(readonly minPosition: bigint | undefined) {
    super();
  }
}
