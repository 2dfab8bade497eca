import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { ContactPresence } from '@app/contacts';
import { CursorCodec } from '@app/http';
import { membershipView } from './membership-view';
import { stayAt } from './moment';
import { PendingChanges } from './mongo.pending-changes';
import { StayReads, type AfterStay } from './mongo.stay-reads';
import { ShownAsOf } from '../../evaluation/shown-as-of';
import { ListContactStaysQuery, type MembershipView, type Page } from './stays.queries';

@QueryHandler(ListContactStaysQuery)
export class ListContactStaysHandler implements IQueryHandler<ListContactStaysQuery> {
  constructor(
    private readonly contacts: ContactPresence,
    private readonly stays: StayReads,
    private readonly pending: PendingChanges,
    private readonly shown: ShownAsOf,
    private readonly cursors: CursorCodec,
  ) {}

  /** Throws ContactNotFoundError, what checkVisible throws, InvalidCursorError and ReadBehindError. */
  async execute(query: ListContactStaysQuery): Promise<Page<MembershipView>> {
    const { contactId, paging, reader, minPosition } = query;
    const binding = ['stays', contactId];
    const after = paging.cursor === undefined ? null : placeOf(this.cursors.decode(paging.cursor, binding));
    const { position, filledAt } = await this.shown.reach(minPosition);
    await this.contacts.checkShown(contactId, reader);

    // One more than asked tells whether there is a next page.
    const found = await this.stays.ofContact(contactId, after, paging.limit + 1);
    const page = found.slice(0, paging.limit);
    // Read behind the stays, so that none of them was changed by one that is not known here.
    const pending = await this.pending.reached(filledAt, [
      ...new Set(page.map(({ segmentId }) => segmentId)),
    ]);
    const items = page.flatMap((stay) => {
      const moment = pending.get(stay.segmentId);
      const shown = moment === undefined ? stay : stayAt(stay, moment);
      return shown === null ? [] : [membershipView(shown)];
    });
    const positions = [...pending.values()].map((moment) => moment.position ?? position);
    const last = page.at(-1);
    return {
      items,
      nextCursor:
        found.length > paging.limit && last !== undefined
          ? this.cursors.encode([last.from, last._id], binding)
          : null,
      asOfPosition: positions.reduce((least, one) => (one < least ? one : least), position).toString(),
    };
  }
}

/** The codec gives back what was encoded, or throws. */
const placeOf = (values: readonly unknown[]): AfterStay => {
  const [from, id] = values as [string, string];
  return { from, id };
};
