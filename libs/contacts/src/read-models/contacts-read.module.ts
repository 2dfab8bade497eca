import { Module } from '@nestjs/common';
import { ActivityQueriesController } from '../http/activity.queries.controller';
import { ContactsQueriesController } from '../http/contacts.queries.controller';
import { ActivityReads } from './activity/mongo.activity-reads';
import { ContactReads } from './contacts/mongo.contact-reads';
import { ActivityFeed } from './follow-activity/activity-feed';
import { GetContactHandler } from './get-contact/get-contact.handler';
import { ListContactDevicesHandler } from './get-contact/list-contact-devices.handler';
import { ListActivityHandler } from './list-activity/list-activity.handler';
import { ListContactActivityHandler } from './list-activity/list-contact-activity.handler';
import { ListContactsHandler } from './list-contacts/list-contacts.handler';
import { SummariseContactsHandler } from './summarise-contacts/summarise-contacts.handler';

/** Everything that is asked about contacts. Needs READ_DB, ReadGate, CursorCodec, SseStreams, SealedFields and Clock. */
@Module({
  controllers: [ContactsQueriesController, ActivityQueriesController],
  providers: [
    ContactReads,
    ActivityReads,
    ActivityFeed,
    GetContactHandler,
    ListContactDevicesHandler,
    ListContactsHandler,
    ListActivityHandler,
    ListContactActivityHandler,
    SummariseContactsHandler,
  ],
})
export class ContactsReadModule {}
