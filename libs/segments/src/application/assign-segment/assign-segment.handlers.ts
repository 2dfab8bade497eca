import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import {
  contactDecider,
  contactStream,
  registered,
  type ContactCommand,
  type OverlayMode,
} from '@app/contacts';
import { DecisionRunner } from '@app/event-store';
import type { CommandContext, Outcome } from '@app/kernel';
import { segmentDecider, shown } from '../../domain/segment.decider';
import { segmentStream } from '../../domain/segment.events';
import { AssignSegmentCommand, UnassignSegmentCommand } from './assign-segment.command';

/**
 * Decides on the contact's stream. Throws what that refuses (the contact is unknown or erased) and, of a living contact,
 * SegmentNotFoundError.
 */
const decideOn = async <Answer extends object>(
  decisions: DecisionRunner,
  command: ContactCommand & Readonly<{ segmentId: string }>,
  context: CommandContext,
  payload: object,
): Promise<Outcome<Answer>> => {
  const stream = contactStream(command.contactId);
  const { state: contact } = await decisions.read(contactDecider, stream);
  registered(contact);
  const { state: segment } = await decisions.read(segmentDecider, segmentStream(command.segmentId));
  shown(segment);
  return decisions.run(contactDecider, stream, command, context, { payload }) as Promise<Outcome<Answer>>;
};

@CommandHandler(AssignSegmentCommand)
export class AssignSegmentHandler implements ICommandHandler<AssignSegmentCommand> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute({
    contactId,
    segmentId,
    overlay,
    context,
  }: AssignSegmentCommand): Promise<Outcome<Readonly<{ segmentId: string; mode: OverlayMode }>>> {
    const { mode, reason, expiresAt } = overlay;
    return decideOn(
      this.decisions,
      { type: 'AssignSegment', contactId, segmentId, mode, reason, expiresAt, now: context.now },
      context,
      { segmentId, ...overlay },
    );
  }
}

@CommandHandler(UnassignSegmentCommand)
export class UnassignSegmentHandler implements ICommandHandler<UnassignSegmentCommand> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute({
    contactId,
    segmentId,
    context,
  }: UnassignSegmentCommand): Promise<Outcome<Readonly<{ segmentId: string }>>> {
    return decideOn(
      this.decisions,
      { type: 'UnassignSegment', contactId, segmentId, now: context.now },
      context,
      { segmentId },
    );
  }
}
