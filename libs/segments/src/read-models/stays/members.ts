import { Injectable } from '@nestjs/common';
import {
  ContactReads,
  contactRow,
  RuleMatcher,
  visibleTo,
  type ContactRow,
  type Reader,
} from '@app/contacts';
import { CursorCodec } from '@app/http';
import { dateIn } from '@app/rules';
import { OccurredMembers, type OccurredQuestion } from '../../evaluation/occurred-members';
import type { StayDocument } from '../segmented-contact';
import { shownContacts } from '../shown-contacts';
import { membershipView } from './membership-view';
import { stayAt, type Moment } from './moment';
import { StayReads } from './mongo.stay-reads';
import type { Member, Paging } from './stays.queries';

/** So many pages of the store at most make one of ours; where nearly all of them may not be seen, it is a short one. */
const LOADS_MAX = 20;

export type MembersAsked = Readonly<{
  segmentId: string;
  /** As of when; null: now. */
  moment: Moment | null;
  /** Whether the past was asked for: rows of contacts show the present. */
  isPast: boolean;
  now: string;
  reader: Reader;
  paging: Paging;
  /** What the cursor belongs to. */
  binding: unknown;
}>;

/** Pages of who is or was in a segment, without those whom the reader may not see. */
@Injectable()
export class Members {
  constructor(
    private readonly stays: StayReads,
    private readonly contacts: ContactReads,
    private readonly cursors: CursorCodec,
    private readonly byTime: OccurredMembers,
    private readonly rules: RuleMatcher,
  ) {}

  /** Throws InvalidCursorError. */
  async page(
    asked: MembersAsked,
  ): Promise<Readonly<{ items: readonly Member[]; nextCursor: string | null }>> {
    const { segmentId, moment, paging, binding } = asked;
    const { limit, cursor } = paging;
    let after = cursor === undefined ? null : String(this.cursors.decode(cursor, binding)[0]);
    const items: Member[] = [];
    for (let loads = 0; loads < LOADS_MAX; loads += 1) {
      const wanted = limit - items.length;
      // One more than asked tells whether there is a next page.
      const found = await this.stays.page(segmentId, moment, after, wanted + 1);
      const looked = found.slice(0, wanted);
      items.push(...(await this.shown(looked, asked)));
      after = looked.at(-1)?.contactId ?? after;
      if (found.length <= wanted) return { items, nextCursor: null };
      if (items.length === limit) break;
    }
    return { items, nextCursor: this.cursors.encode([after], binding) };
  }

  /** Who was in by when things happened. Throws InvalidCursorError and PastTooCostlyError. */
  async occurred(
    question: OccurredQuestion,
    reader: Reader,
    { limit, cursor }: Paging,
    binding: unknown,
  ): Promise<Readonly<{ items: readonly Member[]; nextCursor: string | null }>> {
    const after = cursor === undefined ? '' : String(this.cursors.decode(cursor, binding)[0]);
    const { members, last } = await this.byTime.page(question, after, limit, visibleTo(reader));
    const items: Member[] = [];
    for (const contact of members) {
      const stay = await this.byTime.stayOf(contact, question);
      const { contactId } = contact;
      if (stay !== null) items.push({ contactId, membership: membershipView({ ...stay, contactId }) });
    }
    return { items, nextCursor: last === null ? null : this.cursors.encode([last], binding) };
  }

  private async shown(stays: readonly StayDocument[], asked: MembersAsked): Promise<Member[]> {
    if (stays.length === 0) return [];
    const ids = stays.map(({ contactId }) => contactId);
    const known = stays.map((stay) => (asked.moment === null ? stay : (stayAt(stay, asked.moment) ?? stay)));
    return asked.isPast
      ? this.past(known, ids, asked.reader)
      : this.present(known, await this.rows(ids, asked));
  }

  private present(stays: readonly StayDocument[], rows: ReadonlyMap<string, ContactRow>): Member[] {
    return stays.flatMap((stay) => {
      const { contactId } = stay;
      const contact = rows.get(contactId);
      return contact === undefined ? [] : [{ contactId, membership: membershipView(stay), contact }];
    });
  }

  private async past(
    stays: readonly StayDocument[],
    ids: readonly string[],
    reader: Reader,
  ): Promise<Member[]> {
    const among = { _id: { $in: [...ids] } };
    const restricted =
      reader === 'admin'
        ? []
        : await this.contacts.ids({ ...among, processingRestricted: true }, '', ids.length);
    const erased = await this.contacts.ids({ ...among, erasure: { $ne: null } }, '', ids.length);
    const [hidden, gone] = [new Set(restricted), new Set(erased)];
    return stays.flatMap((stay) => {
      const { contactId } = stay;
      if (hidden.has(contactId) && !gone.has(contactId)) return [];
      const membership = membershipView(stay);
      return [{ contactId, membership, ...(gone.has(contactId) && { erased: true as const }) }];
    });
  }

  private async rows(
    ids: readonly string[],
    { reader, now }: MembersAsked,
  ): Promise<ReadonlyMap<string, ContactRow>> {
    const docs = await shownContacts(this.contacts, this.rules, ids, reader);
    const today = dateIn(new Date(now), 'UTC');
    return new Map(docs.map((doc) => [doc.contactId, contactRow(doc, today)]));
  }
}
