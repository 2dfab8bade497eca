import { Injectable } from '@nestjs/common';
import { ReadGate } from '@app/read-store';
import { AutomationCounts } from './application/automation-counts.port';
import { AutomationReads } from './read-models/mongo.automation-reads';

@Injectable()
export class StoredAutomationCounts extends AutomationCounts {
  constructor(
    private readonly automations: AutomationReads,
    private readonly gate: ReadGate,
  ) {
    super();
  }

  without(
    automationIds: readonly string[],
    segmentId: string,
  ): Promise<Readonly<{ all: number; onSegment: number }>> {
    return this.automations.countWithout(automationIds, segmentId);
  }

  position(): Promise<bigint> {
    return this.gate.position();
  }
}
