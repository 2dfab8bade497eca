import { readModelOf } from '@app/testing';
import type { SnapshotTaken } from '../../domain/segment.events';
import { snapshotsProjection } from './snapshots.projection';

const data = {
  segmentId: '0a6c2f4e-1111-4222-8333-944445555666',
  snapshotId: '0a6c2f4e-2222-4222-8333-944445555666',
  name: 'Spring mailing',
  asOf: '2026-03-01T12:00:00.000Z',
};
const taken: SnapshotTaken = {
  type: 'segments.SnapshotTaken.v1',
  data: { ...data, occurredAt: '2026-03-02T12:00:00.000Z' },
};

describe('snapshots of segments', () => {
  it('are kept under their names', () =>
    readModelOf(snapshotsProjection)
      .given(taken)
      .then(data.snapshotId, { ...data, takenAt: taken.data.occurredAt }));
});
