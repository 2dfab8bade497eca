import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Outcome } from '@app/kernel';
import type { CutOffAnswer } from '../../domain/segment.decider';
import { RefreshSegmentCommand } from './refresh-segment.command';
import { SegmentRankings } from './segment-rankings';

@CommandHandler(RefreshSegmentCommand)
export class RefreshSegmentHandler implements ICommandHandler<RefreshSegmentCommand> {
  constructor(private readonly rankings: SegmentRankings) {}

  execute({ segmentId, context, minPosition }: RefreshSegmentCommand): Promise<Outcome<CutOffAnswer>> {
    return this.rankings.refresh(segmentId, context, minPosition);
  }
}
