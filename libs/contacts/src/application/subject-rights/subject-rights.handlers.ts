import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Outcome } from '@app/kernel';
import { ContactDecisions } from '../contact-decisions';
import { ObjectToProfilingCommand, RestrictProcessingCommand } from './subject-rights.commands';

@CommandHandler(RestrictProcessingCommand)
export class RestrictProcessingHandler implements ICommandHandler<RestrictProcessingCommand> {
  constructor(private readonly decisions: ContactDecisions) {}

  execute({
    contactId,
    restricted,
    reason,
    context,
  }: RestrictProcessingCommand): Promise<Outcome<{ processingRestricted: boolean }>> {
    return this.decisions.run(
      { type: 'RestrictProcessing', contactId, now: context.now, restricted, reason },
      context,
      { restricted, reason },
    );
  }
}

@CommandHandler(ObjectToProfilingCommand)
export class ObjectToProfilingHandler implements ICommandHandler<ObjectToProfilingCommand> {
  constructor(private readonly decisions: ContactDecisions) {}

  execute({
    contactId,
    objected,
    reason,
    context,
  }: ObjectToProfilingCommand): Promise<Outcome<{ profilingObjection: boolean }>> {
    return this.decisions.run(
      { type: 'ObjectToProfiling', contactId, now: context.now, objected, reason },
      context,
      { objected, reason },
    );
  }
}
