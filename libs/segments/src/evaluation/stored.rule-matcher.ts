import { Injectable } from '@nestjs/common';
import { RuleMatcher } from '@app/contacts';
import { truthsOf, type Rule } from '@app/rules';
import { SegmentReads } from '../read-models/segments/mongo.segment-reads';
import { StoredContactFacts } from './mongo.contact-facts';

/** Asks rules of contacts by the facts that are stored of them, and by what segments they are in. */
@Injectable()
export class StoredRuleMatcher extends RuleMatcher {
  constructor(
    private readonly stored: StoredContactFacts,
    private readonly segments: SegmentReads,
  ) {
    super();
  }

  async matching(rule: Rule, contactIds: readonly string[], now: Date): Promise<ReadonlySet<string>> {
    const contacts = await this.stored.scan({ _id: { $in: [...contactIds] } }, '', contactIds.length);
    const facts = await this.stored.factsOf(contacts, rule, now);
    const matches = facts.filter((known) => truthsOf(rule, known, now).get('/root') === 'true');
    return new Set(matches.map(({ contactId }) => contactId));
  }

  async knowsSegment(segmentId: string): Promise<boolean> {
    return (await this.segments.findAll([segmentId])).size > 0;
  }
}
