export * from './domain/references';
export * from './domain/segment.decider';
export * from './domain/segment.errors';
export * from './domain/segment.events';
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
export { FactBuckets } from './facts/mongo.fact-buckets';
export { FillState } from './read-models/mongo.fill-state';
export * from './read-models/segmented-contact';
