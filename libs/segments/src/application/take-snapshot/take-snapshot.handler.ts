import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { DecisionRunner } from '@app/event-store';
import type { Outcome } from '@app/kernel';
import { segmentDecider, type SnapshotAnswer } from '../../domain/segment.decider';
import { segmentStream } from '../../domain/segment.events';
import { ShownAsOf } from '../../evaluation/shown-as-of';
import { TakeSnapshotCommand } from './take-snapshot.command';

@CommandHandler(TakeSnapshotCommand)
export class TakeSnapshotHandler implements ICommandHandler<TakeSnapshotCommand> {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly shown: ShownAsOf,
  ) {}

  /**
   * Throws SegmentNotFoundError, TooManySnapshotsError, InvalidMomentError for an instant that is yet to come, and
   * ReadBehindError while a definition that was made by that instant is not applied to everybody: then nobody knows yet who
   * is in the list.
   */
  async execute({
    segmentId,
    snapshotId,
    name,
    asOf,
    context,
    minPosition,
  }: TakeSnapshotCommand): Promise<Outcome<SnapshotAnswer>> {
    const instant = asOf ?? context.now;
    await this.shown.settled(segmentId, instant, minPosition);
    const command = {
      type: 'TakeSnapshot',
      segmentId,
      snapshotId,
      name,
      asOf: instant,
      now: context.now,
    } as const;
    // Without an instant it is that of the first try.
    return this.decisions.run(segmentDecider, segmentStream(segmentId), command, context, {
      payload: { name, asOf: asOf ?? null },
    }) as Promise<Outcome<SnapshotAnswer>>;
  }
}
