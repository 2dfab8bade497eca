import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { CursorCodec } from '@app/http';
import { ReadGate } from '@app/read-store';
import { AutomationNotShownError } from './automation-not-shown.error';
import { automationView } from './automation-view';
import {
  GetAutomationQuery,
  ListAutomationsQuery,
  type AutomationDetails,
  type AutomationPage,
} from './automations.queries';
import { AutomationReads } from './mongo.automation-reads';

const BINDING = 'automations';

@QueryHandler(GetAutomationQuery)
export class GetAutomationHandler implements IQueryHandler<GetAutomationQuery> {
  constructor(
    private readonly automations: AutomationReads,
    private readonly gate: ReadGate,
  ) {}

  /** Throws AutomationNotShownError. */
  async execute({ automationId, minPosition }: GetAutomationQuery): Promise<AutomationDetails> {
    const asOfPosition = await this.gate.wait(minPosition);
    const automation = await this.automations.find(automationId);
    if (automation === null) throw new AutomationNotShownError();
    const { revision } = automation;
    return { ...automationView(automation), revision, asOfPosition: asOfPosition.toString() };
  }
}

@QueryHandler(ListAutomationsQuery)
export class ListAutomationsHandler implements IQueryHandler<ListAutomationsQuery> {
  constructor(
    private readonly automations: AutomationReads,
    private readonly gate: ReadGate,
    private readonly cursors: CursorCodec,
  ) {}

  /** Throws InvalidCursorError. */
  async execute({ limit, cursor, minPosition }: ListAutomationsQuery): Promise<AutomationPage> {
    const after = cursor === undefined ? null : this.cursors.decode(cursor, BINDING);
    const asOfPosition = await this.gate.wait(minPosition);
    const found = await this.automations.page(
      after && { createdAt: String(after[0]), automationId: String(after[1]) },
      // One more than asked tells whether there is a next page.
      limit + 1,
    );
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      items: page.map(automationView),
      nextCursor:
        found.length > limit && last
          ? this.cursors.encode([last.createdAt, last.automationId], BINDING)
          : null,
      asOfPosition: asOfPosition.toString(),
    };
  }
}
