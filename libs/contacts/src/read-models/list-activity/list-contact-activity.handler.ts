import { SealedFields } from '@app/event-store';
import { CursorCodec } from '@app/http';
import { ReadGate } from '@app/read-store';
import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { activityItem, type ActivityItem, type StoredActivity } from '../activity/activity-item';
import { ActivityReads } from '../activity/mongo.activity-reads';
import { ContactNotFoundError } from '../contacts/contact-not-found.error';
import { checkShown } from '../contacts/contact-visibility';
import { ContactReads } from '../contacts/mongo.contact-reads';
import { readActivityPage } from './activity-page';
import { ListContactActivityQuery, type ActivityPage } from './list-activity.query';
import { shownFields } from './shown-fields';

@QueryHandler(ListContactActivityQuery)
export class ListContactActivityHandler implements IQueryHandler<ListContactActivityQuery> {
  constructor(
    private readonly contacts: ContactReads,
    private readonly entries: ActivityReads,
    private readonly sealedFields: SealedFields,
    private readonly gate: ReadGate,
    private readonly cursors: CursorCodec,
  ) {}

  async execute({ input }: ListContactActivityQuery): Promise<ActivityPage> {
    const { contactId, reader, list, limit, cursor, minPosition } = input;
    const upTo = await this.gate.wait(minPosition);
    const contact = await this.contacts.standing(contactId);
    if (contact === null) throw new ContactNotFoundError();
    checkShown(contact, reader);
    const { page, nextCursor } = await readActivityPage(this.entries, this.cursors, {
      filter: { contactId, list },
      limit,
      cursor,
      upTo,
    });
    const items: ActivityItem[] = [];
    for (const entry of page) items.push(activityItem(entry, await this.open(entry)));
    return { items, nextCursor, asOfPosition: upTo.toString() };
  }

  private async open({ eventId, sealed }: StoredActivity): Promise<Readonly<Record<string, unknown>>> {
    return sealed === undefined ? {} : shownFields(await this.sealedFields.open({ eventId, sealed }));
  }
}
