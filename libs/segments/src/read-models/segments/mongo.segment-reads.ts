import { Inject, Injectable } from '@nestjs/common';
import { available, collectionOf, READ_DB } from '@app/read-store';
import type { Collection, Db, Filter } from 'mongodb';
import { SegmentNotShownError } from './segment-not-shown.error';
import {
  segmentsProjection,
  segmentVersionId,
  segmentVersionsProjection,
  type SegmentDocument,
  type SegmentVersionDocument,
} from './segments.projection';

type Stored<Document> = Document & { _id: string };

const QUERY_TIME_MAX_MS = 10_000;
/** More segments than may be active: nobody asks for all with a list that is cut off. */
const ACTIVE_MAX = 2_500;

/** Where a page begins: behind the segment that the page before ended with. */
export type AfterSegment = Readonly<{ createdAt: string; segmentId: string }>;

const SHOWN: Filter<Stored<SegmentDocument>> = { status: { $in: ['active', 'inactive'] } };

/** Segments as they are defined, for whoever has to know what one means. */
@Injectable()
export class SegmentReads {
  private readonly segments: Collection<Stored<SegmentDocument>>;
  private readonly versions: Collection<Stored<SegmentVersionDocument>>;

  constructor(@Inject(READ_DB) db: Db) {
    this.segments = db.collection(collectionOf(segmentsProjection));
    this.versions = db.collection(collectionOf(segmentVersionsProjection));
  }

  /** Also one that is inactive. Throws SegmentNotShownError, for a deleted one too. */
  async find(segmentId: string): Promise<SegmentDocument> {
    const segment = await available(() =>
      this.segments.findOne({ _id: segmentId, ...SHOWN }, { maxTimeMS: QUERY_TIME_MAX_MS }),
    );
    if (segment === null) throw new SegmentNotShownError();
    return segment;
  }

  /** Those of the ids that are no deleted segments, by id. */
  async findAll(segmentIds: readonly string[]): Promise<ReadonlyMap<string, SegmentDocument>> {
    const found = await available(() =>
      this.segments
        .find({ _id: { $in: [...segmentIds] }, ...SHOWN }, { maxTimeMS: QUERY_TIME_MAX_MS })
        .toArray(),
    );
    return new Map(found.map((segment) => [segment.segmentId, segment]));
  }

  /** The rule as one version has it; null: there is no such version (known here). */
  version(segmentId: string, version: number): Promise<SegmentVersionDocument | null> {
    const id = segmentVersionId(segmentId, version);
    return available(() => this.versions.findOne({ _id: id }, { maxTimeMS: QUERY_TIME_MAX_MS }));
  }

  /** At most `limit` segments, oldest first, without deleted ones. */
  page(after: AfterSegment | null, limit: number): Promise<SegmentDocument[]> {
    const behind =
      after === null
        ? {}
        : {
            createdAt: { $gte: after.createdAt },
            $or: [{ createdAt: { $gt: after.createdAt } }, { _id: { $gt: after.segmentId } }],
          };
    return available(() =>
      this.segments
        .find(
          { ...behind, ...SHOWN },
          { sort: { createdAt: 1, _id: 1 }, limit, maxTimeMS: QUERY_TIME_MAX_MS },
        )
        .toArray(),
    );
  }

  count(): Promise<number> {
    return available(() => this.segments.countDocuments(SHOWN, { maxTimeMS: QUERY_TIME_MAX_MS }));
  }

  /** All that are active; there is a limit to them. */
  active(): Promise<SegmentDocument[]> {
    return available(() =>
      this.segments.find({ status: 'active' }, { limit: ACTIVE_MAX, maxTimeMS: QUERY_TIME_MAX_MS }).toArray(),
    );
  }

  /** At most `limit` ranked segments that are to be ranked (again) by `instant`, those that wait longest first. */
  toRank(instant: string, limit: number): Promise<SegmentDocument[]> {
    return available(() =>
      this.segments
        .find({ rankAt: { $lte: instant } }, { sort: { rankAt: 1 }, limit, maxTimeMS: QUERY_TIME_MAX_MS })
        .toArray(),
    );
  }
}
