import { Command } from '@nestjs/cqrs';
import type { CommandContext, Outcome } from '@app/kernel';
import type { CutOffAnswer } from '../../domain/segment.decider';

/** Ranks contacts anew, now. */
export class RefreshSegmentCommand extends Command<Outcome<CutOffAnswer>> {
  constructor(
    readonly segmentId: string,
    readonly context: CommandContext,
    readonly minPosition?: bigint,
  ) {
    super();
  }
}
