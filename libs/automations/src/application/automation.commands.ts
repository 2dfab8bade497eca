import { Command } from '@nestjs/cqrs';
import type { CommandContext, Outcome } from '@app/kernel';
import type { AutomationAnswer } from '../domain/automation.decider';
import type { GivenAction } from '../domain/actions';
import type { Trigger } from '../domain/automation.events';

export type { AutomationAnswer, GivenAction };

export type GivenTerms = Readonly<{
  on: Trigger;
  then: readonly GivenAction[];
  limitPerContact: number | null;
}>;

export class CreateAutomationCommand extends Command<Outcome<AutomationAnswer>> {
  constructor(
    readonly automationId: string,
    readonly terms: GivenTerms,
    readonly active: boolean,
    readonly context: CommandContext,
  ) {
    super();
  }
}

/** What is left out stays. */
export class ChangeAutomationCommand extends Command<Outcome<AutomationAnswer>> {
  constructor(
    readonly automationId: string,
    readonly terms: Partial<GivenTerms>,
    readonly active: boolean | undefined,
    readonly context: CommandContext,
  ) {
    super();
  }
}

export class DeleteAutomationCommand extends Command<Outcome<AutomationAnswer>> {
  constructor(
    readonly automationId: string,
    readonly context: CommandContext,
  ) {
    super();
  }
}
