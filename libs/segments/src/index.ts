import { announcedJournal } from './read-models/announcements/announced.journal';
import { segmentsProjection, segmentVersionsProjection } from './read-models/segments/segments.projection';
import { snapshotsProjection } from './read-models/snapshots/snapshots.projection';

export * from './domain/announcement.events';
export * from './domain/references';
export * from './domain/segment.decider';
export * from './domain/segment.errors';
export * from './domain/segment.events';
export { segmentGraphEventDefinitions } from './domain/segment-graph.events';
export * from './facts/bucketed.facts';
export { allBuckets, bucketsNeeded } from './facts/buckets-needed';
export {
  bucketId,
  bucketIds,
  bucketsOfMonth,
  bucketsWritten,
  foldBucket,
  foldFacts,
  type BucketName,
  type FactsBucket,
  type FactsDocument,
} from './facts/facts.document';
export * from './membership/definitions';
export * from './membership/membership';
export { Announcer } from './automation/announcer';
export { Announcements } from './read-models/announcements/mongo.announcements';
export { MembershipAtRevision } from './evaluation/membership-at-revision';
export { FactBuckets } from './read-models/mongo.fact-buckets';
export { PendingChanges } from './read-models/stays/mongo.pending-changes';
export { FillState } from './read-models/mongo.fill-state';
export * from './read-models/segmented-contact';
export { SegmentNotShownError } from './read-models/segments/segment-not-shown.error';
export { RewardPrices } from './application/manage-segments/reward-prices.port';
export { SegmentRankings } from './application/rank-segment/segment-rankings';
export { refreshDueRankings } from './automation/when-ranking-is-due-then-refresh';
export { segmentAutomationProviders, SegmentsModule } from './segments.module';
export { SegmentReads } from './read-models/segments/mongo.segment-reads';
export type {
  LogPlace,
  SegmentDocument,
  SegmentVersionDocument,
} from './read-models/segments/segments.projection';

/** What the projector folds for this context. */
export const segmentsReadModels = {
  projections: [segmentsProjection, segmentVersionsProjection, snapshotsProjection],
  journals: [announcedJournal],
} as const;
export { MongoSegmentStore } from './engine/mongo.segment-store';
export { SegmentEngine, type SegmentEngineOptions } from './engine/segment-engine';
