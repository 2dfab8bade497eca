import { Injectable } from '@nestjs/common';
import { DecisionRunner } from '@app/event-store';
import { Clock, type CommandContext, type Outcome } from '@app/kernel';
import { ReadGate } from '@app/read-store';
import { rankable, segmentDecider, type CutOffAnswer } from '../../domain/segment.decider';
import { segmentStream } from '../../domain/segment.events';
import { ContactRanking } from '../../ranking/mongo.contact-ranking';

/** Ranks contacts by a segment's rule and records whom that lets in. */
@Injectable()
export class SegmentRankings {
  constructor(
    private readonly decisions: DecisionRunner,
    private readonly ranking: ContactRanking,
    private readonly gate: ReadGate,
    private readonly clock: Clock,
  ) {}

  /**
   * On all that the read models know, at least up to `minPosition`. Throws SegmentNotFoundError, SegmentInactiveError,
   * NotRankedError, VersionChangedError, ReadBehindError.
   */
  async refresh(
    segmentId: string,
    context: CommandContext,
    minPosition?: bigint,
  ): Promise<Outcome<CutOffAnswer>> {
    const stream = segmentStream(segmentId);
    const { state } = await this.decisions.read(segmentDecider, stream);
    const { rule, version } = rankable(state);
    const asOfPosition = String(await this.gate.wait(minPosition));
    const ranked = await this.ranking.rank(rule, this.clock.now());
    const command = {
      type: 'RecordCutOff',
      segmentId,
      version,
      ...ranked,
      asOfPosition,
      now: context.now,
    } as const;
    // Figures differ from try to try; what the client asked for does not.
    return this.decisions.run(segmentDecider, stream, command, context, { payload: {} }) as Promise<
      Outcome<CutOffAnswer>
    >;
  }

  /** Resolves once the read models show what was recorded. Throws ReadBehindError. */
  async shown(position: bigint): Promise<void> {
    await this.gate.wait(position);
  }
}
