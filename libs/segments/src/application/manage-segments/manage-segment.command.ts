import { Command } from '@nestjs/cqrs';
import type { CommandContext, Outcome } from '@app/kernel';
import type { SegmentAnswer } from '../../domain/segment.decider';

/** What makes somebody a member, as a client says it: one of these. */
export type Meaning =
  Readonly<{ rule: object }> | Readonly<{ template: string; params: object }> | Readonly<{ manual: true }>;

export class DefineSegmentCommand extends Command<Outcome<SegmentAnswer>> {
  constructor(
    readonly segmentId: string,
    readonly name: string,
    readonly description: string | null,
    readonly meaning: Meaning,
    readonly context: CommandContext,
  ) {
    super();
  }
}

/** What is undefined stays. */
export class ChangeSegmentCommand extends Command<Outcome<SegmentAnswer>> {
  constructor(
    readonly segmentId: string,
    readonly change: Readonly<{
      name?: string | undefined;
      rule?: object | undefined;
      active?: boolean | undefined;
    }>,
    readonly context: CommandContext,
  ) {
    super();
  }
}

export class DeleteSegmentCommand extends Command<Outcome<SegmentAnswer>> {
  constructor(
    readonly segmentId: string,
    readonly context: CommandContext,
  ) {
    super();
  }
}
