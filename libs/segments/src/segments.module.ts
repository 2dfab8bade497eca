import { Module } from '@nestjs/common';
import {
  AssignSegmentHandler,
  UnassignSegmentHandler,
} from './application/assign-segment/assign-segment.handlers';
import {
  ChangeSegmentHandler,
  DefineSegmentHandler,
  DeleteSegmentHandler,
} from './application/manage-segments/manage-segment.handlers';
import { SegmentDefinitions } from './application/manage-segments/segment-definitions';
import { SegmentGraph } from './application/manage-segments/segment-graph';
import { RefreshSegmentHandler } from './application/rank-segment/refresh-segment.handler';
import { SegmentRankings } from './application/rank-segment/segment-rankings';
import { RuleMatchingModule } from './evaluation/rule-matching.module';
import { FactBuckets } from './facts/mongo.fact-buckets';
import {
  ContactSegmentsController,
  SegmentsController,
  SegmentTemplatesController,
} from './http/segments.controller';
import { ContactRanking } from './ranking/mongo.contact-ranking';
import { FillState } from './read-models/mongo.fill-state';
import { MemberCounts } from './read-models/segments/mongo.member-counts';
import { SegmentReads } from './read-models/segments/mongo.segment-reads';
import {
  GetSegmentHandler,
  ListSegmentsHandler,
  ListSegmentTemplatesHandler,
} from './read-models/segments/segments.handlers';
import { SegmentsShown } from './read-models/segments/segments-shown';
import { PendingChanges } from './read-models/stays/mongo.pending-changes';
import { StayReads } from './read-models/stays/mongo.stay-reads';

const definitions = [
  SegmentDefinitions,
  SegmentGraph,
  DefineSegmentHandler,
  ChangeSegmentHandler,
  DeleteSegmentHandler,
  AssignSegmentHandler,
  UnassignSegmentHandler,
];
const rankings = [SegmentRankings, ContactRanking, FactBuckets, RefreshSegmentHandler];
const reads = [
  SegmentReads,
  SegmentsShown,
  MemberCounts,
  FillState,
  PendingChanges,
  StayReads,
  GetSegmentHandler,
  ListSegmentsHandler,
  ListSegmentTemplatesHandler,
];

/** Segments, for the api. RewardPrices comes from outside. */
@Module({
  imports: [RuleMatchingModule],
  controllers: [SegmentsController, SegmentTemplatesController, ContactSegmentsController],
  providers: [...definitions, ...rankings, ...reads],
  exports: [SegmentReads, FillState],
})
export class SegmentsModule {}

/** What the automations on segments work with; for the projector. */
export const segmentAutomationProviders = [SegmentReads, SegmentRankings, ContactRanking, FactBuckets];
