import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Optional } from '@nestjs/common';
import { ReadBehindError, ReadGate } from '@app/read-store';
import { FillState } from '../mongo.fill-state';
import { MemberCounts } from './mongo.member-counts';
import { isFilling, segmentView } from './segment-view';
import type { SegmentAnswer } from './segments.queries';
import type { SegmentDocument } from './segments.projection';

/** As long as a reader waits for read models. */
const WAIT_MS = 5_000;
const POLL_MS = 25;

export type ShownSegments = Readonly<{
  documents: readonly SegmentDocument[];
  views: readonly SegmentAnswer[];
  asOfPosition: string;
}>;

/** Segments as the API shows them, once they are up to date. */
@Injectable()
export class SegmentsShown {
  constructor(
    private readonly gate: ReadGate,
    private readonly fills: FillState,
    private readonly counts: MemberCounts,
    @Optional() private readonly options: Readonly<{ waitMs?: number }> = {},
  ) {}

  /**
   * Waits until the read models have reached `minPosition` and none of the segments that were defined at or before it is
   * being filled. Throws what `load` throws, and ReadBehindError after 5 s.
   */
  async of(load: () => Promise<readonly SegmentDocument[]>, minPosition?: bigint): Promise<ShownSegments> {
    const deadlineMs = performance.now() + (this.options.waitMs ?? WAIT_MS);
    const reached = await this.gate.wait(minPosition);
    for (;;) {
      const documents = await load();
      const filledAt = await this.fills.filledAt();
      const isWaitedFor = documents.some(
        (segment) =>
          minPosition !== undefined && definedAt(segment) <= minPosition && isFilling(segment, filledAt),
      );
      const ids = documents.map(({ segmentId }) => segmentId);
      const counts = isWaitedFor ? null : await this.counts.of(ids, filledAt);
      if (counts !== null) {
        const asOfPosition = reached.toString();
        const views = documents.map((segment) => ({
          ...segmentView(segment, filledAt, counts.get(segment.segmentId) ?? 0),
          asOfPosition,
        }));
        return { documents, views, asOfPosition };
      }
      if (performance.now() >= deadlineMs) throw new ReadBehindError(filledAt, minPosition ?? reached);
      await sleep(POLL_MS);
    }
  }
}

const definedAt = ({ versions, lastChange }: SegmentDocument): bigint =>
  BigInt((versions[0] ?? lastChange).position);
