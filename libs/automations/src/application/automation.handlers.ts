import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { DecisionRunner } from '@app/event-store';
import type { Outcome } from '@app/kernel';
import { segmentDecider, segmentStream } from '@app/segments';
import { actionOf } from '../domain/actions';
import { automationDecider, type AutomationAnswer } from '../domain/automation.decider';
import { UnknownSegmentError } from '../domain/automation.errors';
import { automationStream, type AutomationTerms, type Trigger } from '../domain/automation.events';
import { AutomationLimits } from './automation-limits';
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

/** Throws UnknownSegmentError, TooManyAutomationsError, and what actions are refused with. */
@CommandHandler(CreateAutomationCommand)
export class CreateAutomationHandler implements ICommandHandler<CreateAutomationCommand> {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly limits: AutomationLimits,
  ) {}

  async execute({
    automationId,
    terms: given,
    active,
    context,
  }: CreateAutomationCommand): Promise<Outcome<AutomationAnswer>> {
    const terms = termsOf(given) as AutomationTerms;
    await assertSegment(this.decisions, terms.on);
    const command = { type: 'CreateAutomation', automationId, terms, active, now: context.now } as const;
    const stream = automationStream(automationId);
    const make = () => this.decisions.run(automationDecider, stream, command, context, { fresh: true });
    const { state } = await this.decisions.read(automationDecider, stream);
    // Sent again, it is answered as before.
    return state.status === 'unknown' ? this.limits.within(automationId, terms.on.segmentId, make) : make();
  }
}

@CommandHandler(ChangeAutomationCommand)
export class ChangeAutomationHandler implements ICommandHandler<ChangeAutomationCommand> {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly limits: AutomationLimits,
  ) {}

  async execute({
    automationId,
    terms: given,
    active,
    context,
  }: ChangeAutomationCommand): Promise<Outcome<AutomationAnswer>> {
    const terms = termsOf(given);
    if (terms.on !== undefined) await assertSegment(this.decisions, terms.on);
    const command = { type: 'ChangeAutomation', automationId, terms, active, now: context.now } as const;
    const stream = automationStream(automationId);
    const change = () => this.decisions.run(automationDecider, stream, command, context);
    const { state } = await this.decisions.read(automationDecider, stream);
    const isMoved =
      terms.on !== undefined && state.status === 'known' && state.terms.on.segmentId !== terms.on.segmentId;
    return isMoved ? this.limits.within(automationId, terms.on.segmentId, change) : change();
  }
}

@CommandHandler(DeleteAutomationCommand)
export class DeleteAutomationHandler implements ICommandHandler<DeleteAutomationCommand> {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly limits: AutomationLimits,
  ) {}

  async execute({ automationId, context }: DeleteAutomationCommand): Promise<Outcome<AutomationAnswer>> {
    const command = { type: 'DeleteAutomation', automationId, now: context.now } as const;
    const stream = automationStream(automationId);
    const outcome = await this.decisions.run(automationDecider, stream, command, context);
    this.limits.forget(automationId);
    return outcome;
  }
}
