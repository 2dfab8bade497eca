import type { FillingSegments, Segmented } from '@app/contacts';
import { ReadBehindError } from '@app/read-store';
import type { StoreFilter } from '@app/rules';
import { stayAt, type Moment } from '../read-models/stays/moment';
import type { StayReads } from '../read-models/stays/mongo.stay-reads';

/** So many ids are given to a filter; of a larger segment lists can be had again when it is filled, some seconds later. */
const FILTERED_MAX = 20_000;

/** Segments that are being filled, as they were before, from the stays. */
export class ShownFillingSegments implements FillingSegments {
  readonly ids: ReadonlySet<string>;

  constructor(
    /** Of each, the moment before. */
    readonly moments: ReadonlyMap<string, Moment>,
    private readonly stays: StayReads,
    private readonly filledAt: bigint,
  ) {
    this.ids = new Set(moments.keys());
  }

  readonly membersOf = async (segmentId: string): Promise<StoreFilter> => {
    const moment = this.moments.get(segmentId);
    if (moment === undefined) return { segments: segmentId };
    const ids: string[] = [];
    for await (const id of this.stays.contactIds(segmentId, moment)) {
      if (ids.length === FILTERED_MAX) throw new ReadBehindError(this.filledAt, this.filledAt + 1n);
      ids.push(id);
    }
    return { _id: { $in: ids } };
  };

  readonly asBefore = async <T extends Segmented>(contacts: readonly T[]): Promise<readonly T[]> => {
    if (this.ids.size === 0 || contacts.length === 0) return contacts;
    const stays = await this.stays.ofContacts(
      contacts.map(({ contactId }) => contactId),
      [...this.ids],
    );
    const before = new Map<string, string[]>();
    for (const stay of stays) {
      const then = stayAt(stay, this.moments.get(stay.segmentId) as Moment);
      if (then === null || then.to !== null) continue;
      before.set(stay.contactId, [...(before.get(stay.contactId) ?? []), stay.segmentId]);
    }
    return contacts.map((contact) => {
      const settled = (contact.segments ?? []).filter((id) => !this.ids.has(id));
      return { ...contact, segments: [...settled, ...(before.get(contact.contactId) ?? [])].sort() };
    });
  };
}
