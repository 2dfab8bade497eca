import { Global, Module } from '@nestjs/common';
import { RuleMatcher } from '@app/contacts';
import { FactBuckets } from '../read-models/mongo.fact-buckets';
import { SegmentReads } from '../read-models/segments/mongo.segment-reads';
import { StoredContactFacts } from './mongo.contact-facts';
import { StoredRuleMatcher } from './stored.rule-matcher';

/** Gives the lists of contacts what their documents alone do not answer. */
@Global()
@Module({
  providers: [
    SegmentReads,
    FactBuckets,
    StoredContactFacts,
    { provide: RuleMatcher, useClass: StoredRuleMatcher },
  ],
  exports: [RuleMatcher, StoredContactFacts],
})
export class RuleMatchingModule {}
