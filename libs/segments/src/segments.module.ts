import { Module } from '@nestjs/common';
import { SegmentReads } from './read-models/segments/mongo.segment-reads';
import { FillState } from './read-models/mongo.fill-state';

/** Segments, for the api. */
@Module({
  controllers: [],
  providers: [SegmentReads, FillState],
  exports: [SegmentReads, FillState],
})
export class SegmentsModule {}
