import { Global, Module } from '@nestjs/common';
import { DerivedRecords, RuleMatcher } from '@app/contacts';
import { FactBuckets } from '../read-models/mongo.fact-buckets';
import { FillState } from '../read-models/mongo.fill-state';
import { SegmentReads } from '../read-models/segments/mongo.segment-reads';
import { PendingChanges } from '../read-models/stays/mongo.pending-changes';
import { StayReads } from '../read-models/stays/mongo.stay-reads';
import { StaysAsDerivedRecords } from '../read-models/stays/stays.derived-records';
import { StoredContactFacts } from './mongo.contact-facts';
import { StoredRuleMatcher } from './stored.rule-matcher';

/** Gives what is asked about contacts what their documents and streams alone do not answer. */
@Global()
@Module({
  providers: [
    SegmentReads,
    FactBuckets,
    FillState,
    PendingChanges,
    StayReads,
    StoredContactFacts,
    { provide: RuleMatcher, useClass: StoredRuleMatcher },
    { provide: DerivedRecords, useClass: StaysAsDerivedRecords },
  ],
  exports: [RuleMatcher, DerivedRecords, StoredContactFacts],
})
export class RuleMatchingModule {}
