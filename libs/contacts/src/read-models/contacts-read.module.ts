import { Module } from '@nestjs/common';
import { ActivityQueriesController } from '../http/activity.queries.controller';
import { ContactsQueriesController } from '../http/contacts.queries.controller';
import { ErasureQueriesController } from '../http/erasure.queries.controller';
import { ActivityReads } from './activity/mongo.activity-reads';
import { ContactPresence } from './contacts/contact-presence';
import { ContactReads } from './contacts/mongo.contact-reads';
import { ActivityFeed } from './follow-activity/activity-feed';
import { ErasureReads } from './erasures/mongo.erasure-reads';
import { GetErasureHandler } from './get-erasure/get-erasure.handler';
import { SubjectAccess } from '../application/subject-access/subject-access';
import { GetContactHandler } from './get-contact/get-contact.handler';
import { ListContactDevicesHandler } from './get-contact/list-contact-devices.handler';
import { ListActivityHandler } from './list-activity/list-activity.handler';
import { ListContactActivityHandler } from './list-activity/list-contact-activity.handler';
import { ContactSearch } from './list-contacts/contact-search';
import { ListContactsHandler } from './list-contacts/list-contacts.handler';
import { SummariseContactsHandler } from './summarise-contacts/summarise-contacts.handler';

/**
 * Everything that is asked about contacts. Needs READ_DB, ReadGate, CursorCodec, SseStreams, SealedFields, EventStore,
 * DecisionRunner, Clock, ReceiptSigner, RuleMatcher and DerivedRecords.
 */
@Module({
  controllers: [ContactsQueriesController, ErasureQueriesController, ActivityQueriesController],
  providers: [
    ContactReads,
    ContactPresence,
    ActivityReads,
    ActivityFeed,
    ErasureReads,
    SubjectAccess,
    GetContactHandler,
    GetErasureHandler,
    ListContactDevicesHandler,
    ContactSearch,
    ListContactsHandler,
    ListActivityHandler,
    ListContactActivityHandler,
    SummariseContactsHandler,
  ],
})
export class ContactsReadModule {}
