import { Command } from '@nestjs/cqrs';
import type { CommandContext, Outcome } from '@app/kernel';
import type { SnapshotAnswer } from '../../domain/segment.decider';

export class TakeSnapshotCommand extends Command<Outcome<SnapshotAnswer>> {
  constructor(
    readonly segmentId: string,
    readonly snapshotId: string,
    readonly name: string,
    /** Undefined: now. */
    readonly asOf: string | undefined,
    readonly context: CommandContext,
    readonly minPosition?: bigint,
  ) {
    super();
  }
}

export type { SnapshotAnswer } from '../../domain/segment.decider';
