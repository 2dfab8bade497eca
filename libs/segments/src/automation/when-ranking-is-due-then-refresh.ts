import { DomainError, type CommandContext } from '@app/kernel';
import type { SegmentRankings } from '../application/rank-segment/segment-rankings';
import type { SegmentReads } from '../read-models/segments/mongo.segment-reads';

const SEGMENTS_A_ROUND_MAX = 20;
/** Where every contact has to be looked at, a ranking takes longer than other commands. */
const RANKING_TIME_MS = 300_000;

/**
 * Ranks by those segments that were just defined or changed, and by those whose refresh is due. Rounds that overlap, in one
 * process or in several, do no harm: they record the same ranking twice. Answers how many cut-offs it recorded.
 */
export const refreshDueRankings = async (
  segments: SegmentReads,
  rankings: SegmentRankings,
  context: CommandContext,
): Promise<number> => {
  let refreshed = 0;
  let last: bigint | null = null;
  for (const { segmentId, lastChange } of await segments.toRank(context.now, SEGMENTS_A_ROUND_MAX)) {
    // What a slow round does not come to is the next one's.
    if (Date.now() >= context.deadlineMs) break;
    const command = { name: 'RefreshSegment', action: 'segment.change' };
    try {
      const deadlineMs = Date.now() + RANKING_TIME_MS;
      const recorded = await rankings.refresh(
        segmentId,
        { ...context, command, deadlineMs },
        BigInt(lastChange.position),
      );
      last = recorded.position;
      refreshed += 1;
    } catch (error) {
      // Others were faster: it is another segment than the read model knows.
      if (!(error instanceof DomainError) || error.kind === 'unavailable') throw error;
    }
  }
  // Until they show it, they say that it is due: the next round would do it once more.
  if (last !== null) await rankings.shown(last);
  return refreshed;
};
