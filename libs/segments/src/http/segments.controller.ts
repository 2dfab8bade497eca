import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Put, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Access, Context, Location, MinPosition, newEntityId, UuidParam } from '@app/http';
import type { CommandContext, Outcome } from '@app/kernel';
import {
  AssignSegmentCommand,
  UnassignSegmentCommand,
} from '../application/assign-segment/assign-segment.command';
import {
  ChangeSegmentCommand,
  DefineSegmentCommand,
  DeleteSegmentCommand,
} from '../application/manage-segments/manage-segment.command';
import { RefreshSegmentCommand } from '../application/rank-segment/refresh-segment.command';
import {
  GetSegmentQuery,
  ListSegmentsQuery,
  ListSegmentTemplatesQuery,
  type SegmentAnswer,
  type SegmentPage,
} from '../read-models/segments/segments.queries';
import {
  AssignSegmentDto,
  ChangeSegmentDto,
  DefineSegmentDto,
  ListSegmentsDto,
  meaningOf,
} from './segment.dto';

const CHANGE = { roles: ['operator'], action: 'segment.change' } as const;
/** Rules may name people, so they are not for analysts. */
const VIEW = { roles: ['operator'], action: 'segment.view' } as const;

type Defined = Outcome<Readonly<{ segmentId: string; version: number }>>;

/** What segments mean. */
@ApiTags('segments')
@Controller('segments')
export class SegmentsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @ApiOperation({
    summary: 'Define a segment',
    description:
      'By `rule`, by `template` with `params`, or `manual`. It is filled in the background: GET it with `minPosition` to wait for that.',
  })
  @Access({ ...CHANGE, command: 'DefineSegment' })
  @Location('/v1/segments/:segmentId')
  define(@Body() body: DefineSegmentDto, @Context() context: CommandContext): Promise<Defined> {
    const id = newEntityId(context, 'segment');
    const { name, description = null } = body;
    return this.commands.execute(new DefineSegmentCommand(id, name, description, meaningOf(body), context));
  }

  @Patch(':segmentId')
  @ApiOperation({
    summary: 'Change a segment',
    description:
      'Another rule makes a new version; until that is filled, members are those of the one before.',
  })
  @Access({ ...CHANGE, command: 'ChangeSegment' })
  change(
    @UuidParam('segmentId') segmentId: string,
    @Body() { name, rule, active }: ChangeSegmentDto,
    @Context() context: CommandContext,
  ): Promise<Defined> {
    return this.commands.execute(new ChangeSegmentCommand(segmentId, { name, rule, active }, context));
  }

  @Delete(':segmentId')
  @ApiOperation({ summary: 'Delete a segment', description: 'Everybody leaves, and it is shown no more.' })
  @Access({ ...CHANGE, command: 'DeleteSegment' })
  delete(@UuidParam('segmentId') segmentId: string, @Context() context: CommandContext): Promise<Defined> {
    return this.commands.execute(new DeleteSegmentCommand(segmentId, context));
  }

  @Post(':segmentId/refresh')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Rank contacts anew',
    description:
      'Of a ranked segment; it is done by itself when its `refresh` is due. Answers with the cut-off.',
  })
  @Access({ ...CHANGE, command: 'RefreshSegment' })
  refresh(
    @UuidParam('segmentId') segmentId: string,
    @Context() context: CommandContext,
    @MinPosition() minPosition?: bigint,
  ): Promise<Outcome<Readonly<{ cutOff: number | null; membersCount: number; version: number }>>> {
    return this.commands.execute(new RefreshSegmentCommand(segmentId, context, minPosition));
  }

  @Get()
  @ApiOperation({ summary: 'List segments, oldest first' })
  @Access(VIEW)
  list(
    @Query() { limit, cursor, count }: ListSegmentsDto,
    @MinPosition() minPosition?: bigint,
  ): Promise<SegmentPage> {
    return this.queries.execute(new ListSegmentsQuery(limit, cursor, count, minPosition));
  }

  @Get(':segmentId')
  @ApiOperation({
    summary: 'Get a segment',
    description: 'With `minPosition` of its definition or later, waits until it is filled.',
  })
  @Access(VIEW)
  get(
    @UuidParam('segmentId') segmentId: string,
    @MinPosition() minPosition?: bigint,
  ): Promise<SegmentAnswer> {
    return this.queries.execute(new GetSegmentQuery(segmentId, minPosition));
  }
}

/** What there is to choose from. */
@ApiTags('segments')
@Controller('segment-templates')
export class SegmentTemplatesController {
  constructor(private readonly queries: QueryBus) {}

  @Get()
  @ApiOperation({ summary: 'List the templates that segments can be defined by' })
  @Access(VIEW)
  list(): Promise<object> {
    return this.queries.execute(new ListSegmentTemplatesQuery());
  }
}

/** Who is put in or kept out by hand. */
@ApiTags('contacts')
@Controller('contacts/:contactId/segments/:segmentId')
export class ContactSegmentsController {
  constructor(private readonly commands: CommandBus) {}

  @Put()
  @ApiOperation({
    summary: 'Put a contact into a segment, or keep it out',
    description: 'Whatever the rule says, until `expiresAt`. Replaces the word before.',
  })
  @Access({ ...CHANGE, command: 'AssignSegment' })
  assign(
    @UuidParam('contactId') contactId: string,
    @UuidParam('segmentId') segmentId: string,
    @Body() overlay: AssignSegmentDto,
    @Context() context: CommandContext,
  ): Promise<Outcome<Readonly<{ segmentId: string; mode: 'include' | 'exclude' }>>> {
    return this.commands.execute(new AssignSegmentCommand(contactId, segmentId, { ...overlay }, context));
  }

  @Delete()
  @ApiOperation({ summary: 'Leave a contact to the rule again' })
  @Access({ ...CHANGE, command: 'UnassignSegment' })
  unassign(
    @UuidParam('contactId') contactId: string,
    @UuidParam('segmentId') segmentId: string,
    @Context() context: CommandContext,
  ): Promise<Outcome<Readonly<{ segmentId: string }>>> {
    return this.commands.execute(new UnassignSegmentCommand(contactId, segmentId, context));
  }
}
