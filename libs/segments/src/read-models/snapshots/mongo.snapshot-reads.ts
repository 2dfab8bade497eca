import { Inject, Injectable } from '@nestjs/common';
import { available, collectionOf, READ_DB } from '@app/read-store';
import type { StoreFilter } from '@app/rules';
import type { Collection, Db, Document } from 'mongodb';
import { snapshotsProjection, type SnapshotDocument } from './snapshots.projection';

type Stored = SnapshotDocument & { _id: string };

const QUERY_TIME_MAX_MS = 10_000;

/** Behind the snapshot that a page ended with. */
export type AfterSnapshot = Readonly<{ takenAt: string; snapshotId: string }>;

@Injectable()
export class SnapshotReads {
  private readonly snapshots: Collection<Stored>;

  constructor(@Inject(READ_DB) db: Db) {
    this.snapshots = db.collection<Stored>(collectionOf(snapshotsProjection));
  }

  /** Null where the segment has no such snapshot. */
  find(segmentId: string, snapshotId: string): Promise<SnapshotDocument | null> {
    return available(() =>
      this.snapshots.findOne({ _id: snapshotId, segmentId }, { maxTimeMS: QUERY_TIME_MAX_MS }),
    );
  }

  /** At most `limit`, newest first. */
  page(segmentId: string, after: AfterSnapshot | null, limit: number): Promise<SnapshotDocument[]> {
    const behind: StoreFilter =
      after === null
        ? {}
        : {
            takenAt: { $lte: after.takenAt },
            $or: [{ takenAt: { $lt: after.takenAt } }, { _id: { $lt: after.snapshotId } }],
          };
    return available(() =>
      this.snapshots
        .find({ segmentId, ...behind } as Document, {
          sort: { takenAt: -1, _id: -1 },
          limit,
          maxTimeMS: QUERY_TIME_MAX_MS,
        })
        .toArray(),
    );
  }
}
