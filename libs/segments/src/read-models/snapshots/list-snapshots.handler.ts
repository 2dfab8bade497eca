import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { CursorCodec } from '@app/http';
import { ReadGate } from '@app/read-store';
import { SegmentReads } from '../segments/mongo.segment-reads';
import { ListSnapshotsQuery, type Page, type SnapshotView } from '../stays/stays.queries';
import { SnapshotReads } from './mongo.snapshot-reads';

@QueryHandler(ListSnapshotsQuery)
export class ListSnapshotsHandler implements IQueryHandler<ListSnapshotsQuery> {
  constructor(
    private readonly segments: SegmentReads,
    private readonly snapshots: SnapshotReads,
    private readonly gate: ReadGate,
    private readonly cursors: CursorCodec,
  ) {}

  /** Throws SegmentNotShownError, InvalidCursorError, ReadBehindError. */
  async execute({ segmentId, paging, minPosition }: ListSnapshotsQuery): Promise<Page<SnapshotView>> {
    const { limit, cursor } = paging;
    const binding = ['snapshots', segmentId];
    const after = cursor === undefined ? null : this.cursors.decode(cursor, binding);
    const asOfPosition = await this.gate.wait(minPosition);
    await this.segments.find(segmentId);
    const found = await this.snapshots.page(
      segmentId,
      after && { takenAt: String(after[0]), snapshotId: String(after[1]) },
      // One more than asked tells whether there is a next page.
      limit + 1,
    );
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      items: page.map(({ snapshotId, name, asOf, takenAt }) => ({ snapshotId, name, asOf, takenAt })),
      nextCursor:
        found.length > limit && last ? this.cursors.encode([last.takenAt, last.snapshotId], binding) : null,
      asOfPosition: asOfPosition.toString(),
    };
  }
}
