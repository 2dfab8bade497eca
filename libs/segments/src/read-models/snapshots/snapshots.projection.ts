import { open } from '@app/kernel';
import { defineProjection } from '@app/read-store';
import type { SnapshotTaken } from '../../domain/segment.events';

/** A list that was kept: whose, under which name, of which instant. Its members are the stays of that instant. */
export type SnapshotDocument = Readonly<{
  snapshotId: string;
  segmentId: string;
  name: string;
  asOf: string;
  takenAt: string;
}>;

export const snapshotsProjection = defineProjection<SnapshotDocument, SnapshotTaken>({
  name: 'segment_snapshots',
  version: 1,
  keys: ({ data }) => [data.snapshotId],
  indexes: [{ key: { segmentId: 1, takenAt: 1, _id: 1 } }],
  fields: { snapshotId: open, segmentId: open, name: open, asOf: open, takenAt: open },
  on: {
    'segments.SnapshotTaken.v1': (_, { data: { snapshotId, segmentId, name, asOf, occurredAt } }) => ({
      snapshotId,
      segmentId,
      name,
      asOf,
      takenAt: occurredAt,
    }),
  },
});
