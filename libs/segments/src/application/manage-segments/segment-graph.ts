import { Injectable } from '@nestjs/common';
import { DecisionRunner } from '@app/event-store';
import { addMillis, DomainError, type CommandContext } from '@app/kernel';
import { segmentGraphDecider, type AdmitReferences } from '../../domain/segment-graph.decider';
import { SEGMENT_GRAPH_STREAM } from '../../domain/segment-graph.events';
import { segmentDecider, type Admission } from '../../domain/segment.decider';
import { segmentStream } from '../../domain/segment.events';
import { beside } from '../beside';

/** So long after its admission nobody is still writing a definition: commands end within seconds. */
const ABANDONED_AFTER_MS = 60_000;
/** So many abandoned admissions are settled for the sake of one definition. */
const SETTLED_AT_ONCE_MAX = 50;

export type AskedFor = Pick<AdmitReferences, 'segmentId' | 'references' | 'activates'>;

/** What only the view of all segments tells: whether a definition fits in beside the others. */
@Injectable()
export class SegmentGraph {
  constructor(private readonly decisions: DecisionRunner) {}

  /** What the graph says; what it says is settled afterwards, unless it was refused. */
  async admit(asked: AskedFor, context: CommandContext): Promise<Admission> {
    const refusal = await this.ask(asked, context);
    // What crashes have left open may be what is in the way.
    return refusal !== 'granted' && (await this.settleAbandoned(context))
      ? this.ask(asked, context)
      : refusal;
  }

  /** Notes what the segment's own stream says now. */
  async settle(segmentId: string, admissionId: string, context: CommandContext): Promise<void> {
    const { state, revision } = await this.decisions.read(segmentDecider, segmentStream(segmentId));
    await this.decisions.run(
      segmentGraphDecider,
      SEGMENT_GRAPH_STREAM,
      {
        type: 'SettleReferences',
        admissionId,
        segmentId,
        references: state.status === 'unknown' ? [] : state.references,
        revision,
        status: state.status,
        now: context.now,
      },
      beside(context),
    );
  }

  private async ask(asked: AskedFor, context: CommandContext): Promise<Admission> {
    const command = {
      type: 'AdmitReferences',
      ...asked,
      admissionId: context.commandId,
      now: context.now,
    } as const;
    try {
      await this.decisions.run(segmentGraphDecider, SEGMENT_GRAPH_STREAM, command, beside(context));
      return 'granted';
    } catch (error) {
      if (error instanceof DomainError && error.kind !== 'unavailable') return error;
      throw error;
    }
  }

  private async settleAbandoned(context: CommandContext): Promise<boolean> {
    const { state } = await this.decisions.read(segmentGraphDecider, SEGMENT_GRAPH_STREAM);
    const before = addMillis(context.now, -ABANDONED_AFTER_MS);
    const abandoned = [...state.open]
      .filter(([, { occurredAt }]) => occurredAt < before)
      .slice(0, SETTLED_AT_ONCE_MAX);
    for (const [admissionId, { segmentId }] of abandoned) await this.settle(segmentId, admissionId, context);
    return abandoned.length > 0;
  }
}
