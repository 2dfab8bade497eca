import { CursorCodec } from '@app/http';
import { ReadGate } from '@app/read-store';
import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { activityItem } from '../activity/activity-item';
import { ActivityReads } from '../activity/mongo.activity-reads';
import { ContactPresence } from '../contacts/contact-presence';
import { readActivityPage } from './activity-page';
import { ListActivityQuery, type ActivityPage } from './list-activity.query';

@QueryHandler(ListActivityQuery)
export class ListActivityHandler implements IQueryHandler<ListActivityQuery> {
  constructor(
    private readonly contacts: ContactPresence,
    private readonly entries: ActivityReads,
    private readonly gate: ReadGate,
    private readonly cursors: CursorCodec,
  ) {}

  async execute({ input }: ListActivityQuery): Promise<ActivityPage> {
    const { contactId, reader, type, locationId, segmentId, limit, cursor, minPosition } = input;
    const upTo = await this.gate.wait(minPosition);
    await this.contacts.checkFeed(contactId, reader);
    const { page, nextCursor } = await readActivityPage(this.entries, this.cursors, {
      filter: { contactId, type, locationId, segmentId },
      limit,
      cursor,
      upTo,
    });
    return { items: page.map((entry) => activityItem(entry)), nextCursor, asOfPosition: upTo.toString() };
  }
}
