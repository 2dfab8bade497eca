import { Query } from '@nestjs/cqrs';
import type { AutomationView } from './automation-view';

/** `revision`: of the automation's own stream. */
export type AutomationDetails = AutomationView & Readonly<{ revision: number; asOfPosition: string }>;
export type AutomationPage = Readonly<{
  items: readonly AutomationView[];
  nextCursor: string | null;
  asOfPosition: string;
}>;

export class GetAutomationQuery extends Query<AutomationDetails> {
  constructor(
    readonly automationId: string,
    readonly minPosition?: bigint,
  ) {
    super();
  }
}

/** Oldest first. */
export class ListAutomationsQuery extends Query<AutomationPage> {
  constructor(
    readonly limit: number,
    readonly cursor: string | undefined,
    readonly minPosition?: bigint,
  ) {
    super();
  }
}
