import { Injectable } from '@nestjs/common';
import { DerivedRecords, type HeldFact } from '@app/contacts';
import { SegmentReads } from '../segments/mongo.segment-reads';
import { StayReads, type AfterStay } from './mongo.stay-reads';

const PAGE_SIZE = 100;

/** Tells a person what segments they were found to be in, when and why: those that began last first. */
@Injectable()
export class StaysAsDerivedRecords extends DerivedRecords {
  constructor(
    private readonly stays: StayReads,
    private readonly segments: SegmentReads,
  ) {
    super();
  }

  async *about(contactId: string): AsyncGenerator<HeldFact> {
    for (let after: AfterStay | null = null; ;) {
      const page = await this.stays.ofContact(contactId, after, PAGE_SIZE);
      const named = await this.segments.findAll([...new Set(page.map(({ segmentId }) => segmentId))]);
      for (const { segmentId, version, from, to, causeIn, causeOut } of page) {
        yield {
          what: 'SegmentMembership',
          type: 'segments.Membership.v1',
          eventId: causeIn.eventId ?? null,
          position: causeIn.position,
          recordedAt: causeIn.at,
          actor: { id: 'segments', role: 'system' },
          data: { segmentId, name: named.get(segmentId)?.name ?? null, version, from, to, causeIn, causeOut },
        };
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE_SIZE) return;
      after = { from: last.from, id: last._id };
    }
  }
}
