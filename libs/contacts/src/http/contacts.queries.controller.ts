import { Access, CurrentActor, MinPosition, PageQueryDto, UuidParam } from '@app/http';
import type { Actor } from '@app/kernel';
import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { ActivityList } from '../read-models/activity/activity.journal';
import { GetContactQuery, type ContactAnswer } from '../read-models/get-contact/get-contact.query';
import {
  ListContactDevicesQuery,
  type DevicePage,
} from '../read-models/get-contact/list-contact-devices.query';
import {
  ListContactActivityQuery,
  type ActivityPage,
} from '../read-models/list-activity/list-activity.query';
import { ListContactsQuery, type ContactPage } from '../read-models/list-contacts/list-contacts.query';
import {
  SummariseContactsQuery,
  type SummaryAnswer,
} from '../read-models/summarise-contacts/summarise-contacts.query';
import { ListContactsDto, SummariseContactsDto } from './contact-lists.dto';

/** Auditors see contacts whose processing is restricted, and no others. */
const VIEW = { roles: ['operator', 'auditor'], action: 'contact.view' } as const;

@ApiTags('contacts')
@Controller('contacts')
export class ContactsQueriesController {
  constructor(private readonly queries: QueryBus) {}

  @Get()
  @ApiOperation({ summary: 'List contacts' })
  @Access({ roles: ['operator'], action: 'contact.list' })
  list(
    @Query() query: ListContactsDto,
    @CurrentActor() { role: reader }: Actor,
    @MinPosition() minPosition?: bigint,
  ): Promise<ContactPage> {
    return this.queries.execute(new ListContactsQuery({ ...query, reader, minPosition }));
  }

  @Post('search')
  @HttpCode(200)
  @ApiOperation({ summary: 'List contacts, with the question in the body' })
  @Access({ roles: ['operator'], action: 'contact.search' })
  search(
    @Body() body: ListContactsDto,
    @CurrentActor() { role: reader }: Actor,
    @MinPosition() minPosition?: bigint,
  ): Promise<ContactPage> {
    return this.queries.execute(new ListContactsQuery({ ...body, reader, minPosition }));
  }

  @Get('summary')
  @ApiOperation({ summary: 'The contacts in numbers' })
  @Access({ roles: ['operator'], action: 'contact.list' })
  summary(
    @Query() query: SummariseContactsDto,
    @CurrentActor() { role: reader }: Actor,
    @MinPosition() minPosition?: bigint,
  ): Promise<SummaryAnswer> {
    return this.queries.execute(new SummariseContactsQuery({ ...query, reader, minPosition }));
  }

  @Get(':contactId')
  @ApiOperation({ summary: 'Everything current about one contact' })
  @Access(VIEW)
  details(
    @UuidParam('contactId') contactId: string,
    @CurrentActor() { role: reader }: Actor,
    @MinPosition() minPosition?: bigint,
  ): Promise<ContactAnswer> {
    return this.queries.execute(new GetContactQuery(contactId, reader, minPosition));
  }

  @Get(':contactId/activity')
  @ApiOperation({ summary: 'All that happened to a contact, newest first' })
  @Access(VIEW)
  activity(
    @UuidParam('contactId') contactId: string,
    @Query() page: PageQueryDto,
    @CurrentActor() actor: Actor,
    @MinPosition() minPosition?: bigint,
  ): Promise<ActivityPage> {
    return this.happened('activity', contactId, actor, page, minPosition);
  }

  @Get(':contactId/points')
  @ApiOperation({ summary: 'What moved a contact’s points, newest first' })
  @Access(VIEW)
  points(
    @UuidParam('contactId') contactId: string,
    @Query() page: PageQueryDto,
    @CurrentActor() actor: Actor,
    @MinPosition() minPosition?: bigint,
  ): Promise<ActivityPage> {
    return this.happened('points', contactId, actor, page, minPosition);
  }

  @Get(':contactId/check-ins')
  @ApiOperation({ summary: 'A contact’s check-ins, newest first' })
  @Access(VIEW)
  checkIns(
    @UuidParam('contactId') contactId: string,
    @Query() page: PageQueryDto,
    @CurrentActor() actor: Actor,
    @MinPosition() minPosition?: bigint,
  ): Promise<ActivityPage> {
    return this.happened('check-ins', contactId, actor, page, minPosition);
  }

  @Get(':contactId/purchases')
  @ApiOperation({ summary: 'A contact’s purchases and returns, newest first' })
  @Access(VIEW)
  purchases(
    @UuidParam('contactId') contactId: string,
    @Query() page: PageQueryDto,
    @CurrentActor() actor: Actor,
    @MinPosition() minPosition?: bigint,
  ): Promise<ActivityPage> {
    return this.happened('purchases', contactId, actor, page, minPosition);
  }

  @Get(':contactId/redemptions')
  @ApiOperation({ summary: 'A contact’s redemptions and their cancellations, newest first' })
  @Access(VIEW)
  redemptions(
    @UuidParam('contactId') contactId: string,
    @Query() page: PageQueryDto,
    @CurrentActor() actor: Actor,
    @MinPosition() minPosition?: bigint,
  ): Promise<ActivityPage> {
    return this.happened('redemptions', contactId, actor, page, minPosition);
  }

  @Get(':contactId/messages')
  @ApiOperation({ summary: 'Messages to a contact, newest first' })
  @Access(VIEW)
  messages(
    @UuidParam('contactId') contactId: string,
    @Query() page: PageQueryDto,
    @CurrentActor() actor: Actor,
    @MinPosition() minPosition?: bigint,
  ): Promise<ActivityPage> {
    return this.happened('messages', contactId, actor, page, minPosition);
  }

  @Get(':contactId/devices')
  @ApiOperation({ summary: 'A contact’s devices, newest first' })
  @Access(VIEW)
  devices(
    @UuidParam('contactId') contactId: string,
    @CurrentActor() { role: reader }: Actor,
    @MinPosition() minPosition?: bigint,
  ): Promise<DevicePage> {
    return this.queries.execute(new ListContactDevicesQuery(contactId, reader, minPosition));
  }

  private happened(
    list: ActivityList,
    contactId: string,
    { role: reader }: Actor,
    { limit, cursor }: PageQueryDto,
    minPosition: bigint | undefined,
  ): Promise<ActivityPage> {
    return this.queries.execute(
      new ListContactActivityQuery({ contactId, reader, list, limit, cursor, minPosition }),
    );
  }
}
