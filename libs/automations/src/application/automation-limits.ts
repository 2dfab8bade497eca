import { Injectable } from '@nestjs/common';
import type { Outcome } from '@app/kernel';
import {
  AUTOMATIONS_MAX,
  AUTOMATIONS_ON_SEGMENT_MAX,
  TooManyAutomationsError,
} from '../domain/automation.errors';
import { AutomationCounts } from './automation-counts.port';

type Made = Readonly<{ segmentId: string; position: bigint }>;

/**
 * Keeps automations within bounds, since each that listens costs something at every announcement. What one process makes is
 * counted exactly, the latest as well; what several make at the same instant may go beyond by as many.
 */
@Injectable()
export class AutomationLimits {
  /** What was made here and is not in the counts yet. */
  private readonly made = new Map<string, Made>();
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly counts: AutomationCounts) {}

  /** Has an automation made or moved to a segment where there is room for it, one at a time. Throws TooManyAutomationsError. */
  within<Answer extends object>(
    automationId: string,
    segmentId: string,
    make: () => Promise<Outcome<Answer>>,
  ): Promise<Outcome<Answer>> {
    const result = this.last.then(async () => {
      await this.checkRoom(automationId, segmentId);
      const outcome = await make();
      this.made.set(automationId, { segmentId, position: outcome.position });
      return outcome;
    });
    this.last = result.catch(() => undefined);
    return result;
  }

  /** Of one that is there no more. */
  forget(automationId: string): void {
    this.made.delete(automationId);
  }

  private async checkRoom(automationId: string, segmentId: string): Promise<void> {
    const reached = await this.counts.position();
    for (const [id, { position }] of this.made) if (position <= reached) this.made.delete(id);
    const others = [...this.made].filter(([id]) => id !== automationId);
    const counted = await this.counts.without([...this.made.keys(), automationId], segmentId);
    const all = counted.all + others.length;
    const onSegment = counted.onSegment + others.filter(([, made]) => made.segmentId === segmentId).length;
    if (all >= AUTOMATIONS_MAX) throw new TooManyAutomationsError('all');
    if (onSegment >= AUTOMATIONS_ON_SEGMENT_MAX) throw new TooManyAutomationsError('segment');
  }
}
