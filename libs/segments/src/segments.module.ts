import { Module } from '@nestjs/common';
import { ContactPresence, ContactReads } from '@app/contacts';
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
import { OccurredMembers } from './evaluation/occurred-members';
import { PastContactFacts } from './evaluation/past.contact-facts';
import { RuleMatchingModule } from './evaluation/rule-matching.module';
import { TakeSnapshotHandler } from './application/take-snapshot/take-snapshot.handler';
import { FactBuckets } from './read-models/mongo.fact-buckets';
import { SegmentRulesController } from './http/segment-rules.controller';
import { ContactStaysController, SegmentStaysController } from './http/segment-stays.controller';
import {
  ContactSegmentsController,
  SegmentsController,
  SegmentTemplatesController,
} from './http/segments.controller';
import { ContactRanking } from './ranking/mongo.contact-ranking';
import { ExplainHandler } from './read-models/explain/explain.handler';
import { FillState } from './read-models/mongo.fill-state';
import { LivePreview } from './read-models/preview/live.preview';
import { PastPreview } from './read-models/preview/past.preview';
import { PreviewHandler } from './read-models/preview/preview.handler';
import { MemberCounts } from './read-models/segments/mongo.member-counts';
import { SegmentReads } from './read-models/segments/mongo.segment-reads';
import {
  GetSegmentHandler,
  ListSegmentsHandler,
  ListSegmentTemplatesHandler,
} from './read-models/segments/segments.handlers';
import { SegmentsShown } from './read-models/segments/segments-shown';
import { ListSnapshotsHandler } from './read-models/snapshots/list-snapshots.handler';
import { SnapshotReads } from './read-models/snapshots/mongo.snapshot-reads';
import { GetMemberSeriesHandler, ListChangesHandler } from './read-models/stays/changes.handlers';
import { ListContactStaysHandler } from './read-models/stays/contact-stays.handler';
import { Members } from './read-models/stays/members';
import {
  CountMembersHandler,
  ListMembersHandler,
  ListSnapshotMembersHandler,
} from './read-models/stays/members.handlers';
import { PendingChanges } from './read-models/stays/mongo.pending-changes';
import { StayReads } from './read-models/stays/mongo.stay-reads';
import { GetOverlapHandler } from './read-models/stays/overlap.handler';
import { ShownAsOf } from './evaluation/shown-as-of';

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

const stays = [
  ContactPresence,
  ContactReads,
  ShownAsOf,
  Members,
  ListMembersHandler,
  CountMembersHandler,
  ListChangesHandler,
  GetMemberSeriesHandler,
  GetOverlapHandler,
  ListContactStaysHandler,
  SnapshotReads,
  ListSnapshotsHandler,
  ListSnapshotMembersHandler,
  TakeSnapshotHandler,
];

const ruleAnswers = [
  PastContactFacts,
  OccurredMembers,
  LivePreview,
  PastPreview,
  PreviewHandler,
  ExplainHandler,
];

/** Segments, for the api. RewardPrices comes from outside. */
@Module({
  imports: [RuleMatchingModule],
  controllers: [
    SegmentsController,
    SegmentRulesController,
    SegmentStaysController,
    SegmentTemplatesController,
    ContactSegmentsController,
    ContactStaysController,
  ],
  providers: [...definitions, ...rankings, ...reads, ...stays, ...ruleAnswers],
  exports: [SegmentReads, FillState],
})
export class SegmentsModule {}

/** What the automations on segments work with; for the projector. */
export const segmentAutomationProviders = [SegmentReads, SegmentRankings, ContactRanking, FactBuckets];
