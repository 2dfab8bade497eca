import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { DecisionRunner } from '@app/event-store';
import type { Outcome } from '@app/kernel';
import { segmentDecider, segmentStream } from '@app/segments';
import { actionOf } from '../domain/actions';
import { automationDecider, type AutomationAnswer } from '../domain/automation.decider';
import { UnknownSegmentError } from '../domain/automation.errors';
import { automationStream, type AutomationTerms, type Trigger } from '../domain/automation.events';
import {
  ChangeAutomationCommand,
  CreateAutomationCommand,
  DeleteAutomationCommand,
  type GivenTerms,
} from './automation.commands';

/** Throws UnknownSegmentError. */
const assertSegment = async (decisions: DecisionRunner, { segmentId }: Trigger): Promise<void> => {
  const { state } = await decisions.read(segmentDecider, segmentStream(segmentId));
  if (state.status === 'unknown' || state.status === 'deleted') throw new UnknownSegmentError();
};

const termsOf = ({ then, ...terms }: Partial<GivenTerms>): Partial<AutomationTerms> => ({
  ...terms,
  ...(then !== undefined && { then: then.map(actionOf) }),
});

@CommandHandler(CreateAutomationCommand)
export class CreateAutomationHandler implements ICommandHandler<CreateAutomationCommand> {
  constructor(private readonly decisions: DecisionRunner) {}

  async execute({
    automationId,
    terms: given,
    active,
    context,
  }: CreateAutomationCommand): Promise<Outcome<AutomationAnswer>> {
    const terms = termsOf(given) as AutomationTerms;
    await assertSegment(this.decisions, terms.on);
    const command = { type: 'CreateAutomation', automationId, terms, active, now: context.now } as const;
    return this.decisions.run(automationDecider, automationStream(automationId), command, context, {
      fresh: true,
    });
  }
}

@CommandHandler(ChangeAutomationCommand)
export class ChangeAutomationHandler implements ICommandHandler<ChangeAutomationCommand> {
  constructor(private readonly decisions: DecisionRunner) {}

  async execute({
    automationId,
    terms: given,
    active,
    context,
  }: ChangeAutomationCommand): Promise<Outcome<AutomationAnswer>> {
    const terms = termsOf(given);
    if (terms.on !== undefined) await assertSegment(this.decisions, terms.on);
    const command = { type: 'ChangeAutomation', automationId, terms, active, now: context.now } as const;
    return this.decisions.run(automationDecider, automationStream(automationId), command, context);
  }
}

@CommandHandler(DeleteAutomationCommand)
export class DeleteAutomationHandler implements ICommandHandler<DeleteAutomationCommand> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute({ automationId, context }: DeleteAutomationCommand): Promise<Outcome<AutomationAnswer>> {
    const command = { type: 'DeleteAutomation', automationId, now: context.now } as const;
    return this.decisions.run(automationDecider, automationStream(automationId), command, context);
  }
}
