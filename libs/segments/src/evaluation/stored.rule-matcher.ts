import { Injectable } from '@nestjs/common';
import { RuleMatcher, type FillingSegments } from '@app/contacts';
import { ReadBehindError } from '@app/read-store';
import { truthsOf, type Rule } from '@app/rules';
import { FillState } from '../read-models/mongo.fill-state';
import { SegmentReads } from '../read-models/segments/mongo.segment-reads';
import { PendingChanges } from '../read-models/stays/mongo.pending-changes';
import type { Moment } from '../read-models/stays/moment';
import { StayReads } from '../read-models/stays/mongo.stay-reads';
import { StoredContactFacts } from './mongo.contact-facts';
import { ShownFillingSegments } from './shown.filling-segments';

/** How often a question is asked again because definitions changed while it was answered. */
const TRIES_MAX = 4;

const NOTHING: ReadonlyMap<string, Moment> = new Map();

/** Asks rules of contacts by the facts that are stored of them, and by what segments they are shown to be in. */
@Injectable()
export class StoredRuleMatcher extends RuleMatcher {
  constructor(
    private readonly stored: StoredContactFacts,
    private readonly segments: SegmentReads,
    private readonly fills: FillState,
    private readonly pending: PendingChanges,
    private readonly stays: StayReads,
  ) {
    super();
  }

  async matching(
    rule: Rule,
    contactIds: readonly string[],
    now: Date,
    filling: FillingSegments,
  ): Promise<ReadonlySet<string>> {
    const contacts = await this.stored.scan({ _id: { $in: [...contactIds] } }, '', contactIds.length);
    const moments = filling instanceof ShownFillingSegments ? filling.moments : undefined;
    const facts = await this.stored.factsOf(contacts, rule, now, moments);
    const matches = facts.filter((known) => truthsOf(rule, known, now).get('/root') === 'true');
    return new Set(matches.map(({ contactId }) => contactId));
  }

  async knowsSegment(segmentId: string): Promise<boolean> {
    return (await this.segments.findAll([segmentId])).size > 0;
  }

  override async whileFilling<Answer>(read: (filling: FillingSegments) => Promise<Answer>): Promise<Answer> {
    let filledAt = await this.fills.filledAt();
    // Taken for nothing at first, as it nearly always is.
    let filling = NOTHING;
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const answer = await read(new ShownFillingSegments(filling, this.stays, filledAt));
      // A change is written down before the first contact is touched by it.
      const after = await this.pending.reached(filledAt, null);
      if (after.size === filling.size) return answer;
      filledAt = await this.fills.filledAt();
      filling = await this.pending.reached(filledAt, null);
    }
    throw new ReadBehindError(filledAt, filledAt + 1n);
  }
}
