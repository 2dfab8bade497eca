import { Access, MinPosition, PageQueryDto, UuidParam } from '@app/http';
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

@ApiTags('contacts')
@Controller('contacts')
export class ContactsQueriesController {
  constructor(private readonly queries: QueryBus) {}

  @Get()
  @ApiOperation({ summary: 'List contacts' })
  @Access({ roles: ['operator'], action: 'contact.list' })
  list(@Query() query: ListContactsDto, @MinPosition() minPosition?: bigint): Promise<ContactPage> {
    return this.queries.execute(new ListContactsQuery({ ...query, minPosition }));
  }

  @Post('search')
  @HttpCode(200)
  @ApiOperation({ summary: 'List contacts, with the question in the body' })
  @Access({ roles: ['operator'], action: 'contact.search' })
  search(@Body() body: ListContactsDto, @MinPosition() minPosition?: bigint): Promise<ContactPage> {
    return this.queries.execute(new ListContactsQuery({ ...body, minPosition }));
  }

  @Get('summary')
  @ApiOperation({ summary: 'The contacts in numbers' })
  @Access({ roles: ['operator'], action: 'contact.list' })
  summary(@Query() query: SummariseContactsDto, @MinPosition() minPosition?: bigint): Promise<SummaryAnswer> {
    return this.queries.execute(new SummariseContactsQuery({ ...query, minPosition }));
  }

  @Get(':contactId')
  @ApiOperation({ summary: 'Everything current about one contact' })
  @Access({ roles: ['operator'], action: 'contact.view' })
  details(
    @UuidParam('contactId') contactId: string,
    @MinPosition() minPosition?: bigint,
  ): Promise<ContactAnswer> {
    return this.queries.execute(new GetContactQuery(contactId, minPosition));
  }

  @Get(':contactId/activity')
  @ApiOperation({ summary: 'All that happened to a contact, newest first' })
  @Access({ roles: ['operator'], action: 'contact.view' })
  activity(
    @UuidParam('contactId') contactId: string,
    @Query() page: PageQueryDto,
    @MinPosition() minPosition?: bigint,
  ): Promise<ActivityPage> {
    return this.happened('activity', contactId, page, minPosition);
  }

  @Get(':contactId/points')
  @ApiOperation({ summary: 'What moved a contact’s points, newest first' })
  @Access({ roles: ['operator'], action: 'contact.view' })
  points(
    @UuidParam('contactId') contactId: string,
    @Query() page: PageQueryDto,
    @MinPosition() minPosition?: bigint,
  ): Promise<ActivityPage> {
    return this.happened('points', contactId, page, minPosition);
  }

  @Get(':contactId/check-ins')
  @ApiOperation({ summary: 'A contact’s check-ins, newest first' })
  @Access({ roles: ['operator'], action: 'contact.view' })
  checkIns(
    @UuidParam('contactId') contactId: string,
    @Query() page: PageQueryDto,
    @MinPosition() minPosition?: bigint,
  ): Promise<ActivityPage> {
    return this.happened('check-ins', contactId, page, minPosition);
  }

  @Get(':contactId/purchases')
  @ApiOperation({ summary: 'A contact’s purchases and returns, newest first' })
  @Access({ roles: ['operator'], action: 'contact.view' })
  purchases(
    @UuidParam('contactId') contactId: string,
    @Query() page: PageQueryDto,
    @MinPosition() minPosition?: bigint,
  ): Promise<ActivityPage> {
    return this.happened('purchases', contactId, page, minPosition);
  }

  @Get(':contactId/redemptions')
  @ApiOperation({ summary: 'A contact’s redemptions and their cancellations, newest first' })
  @Access({ roles: ['operator'], action: 'contact.view' })
  redemptions(
    @UuidParam('contactId') contactId: string,
    @Query() page: PageQueryDto,
    @MinPosition() minPosition?: bigint,
  ): Promise<ActivityPage> {
    return this.happened('redemptions', contactId, page, minPosition);
  }

  @Get(':contactId/messages')
  @ApiOperation({ summary: 'Messages to a contact, newest first' })
  @Access({ roles: ['operator'], action: 'contact.view' })
  messages(
    @UuidParam('contactId') contactId: string,
    @Query() page: PageQueryDto,
    @MinPosition() minPosition?: bigint,
  ): Promise<ActivityPage> {
    return this.happened('messages', contactId, page, minPosition);
  }

  @Get(':contactId/devices')
  @ApiOperation({ summary: 'A contact’s devices, newest first' })
  @Access({ roles: ['operator'], action: 'contact.view' })
  devices(
    @UuidParam('contactId') contactId: string,
    @MinPosition() minPosition?: bigint,
  ): Promise<DevicePage> {
    return this.queries.execute(new ListContactDevicesQuery(contactId, minPosition));
  }

  private happened(
    list: ActivityList,
    contactId: string,
    { limit, cursor }: PageQueryDto,
    minPosition: bigint | undefined,
  ): Promise<ActivityPage> {
    return this.queries.execute(
      new ListContactActivityQuery({ contactId, list, limit, cursor, minPosition }),
    );
  }
}
