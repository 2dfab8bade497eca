import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  Access,
  Context,
  CurrentActor,
  Location,
  MinPosition,
  newEntityId,
  PageQueryDto,
  UuidParam,
} from '@app/http';
import type { Actor, CommandContext, Outcome } from '@app/kernel';
import { TakeSnapshotCommand } from '../application/take-snapshot/take-snapshot.command';
import type { SnapshotAnswer } from '../application/take-snapshot/take-snapshot.command';
import type { MemberChange } from '../read-models/stays/changes';
import {
  CountMembersQuery,
  GetMemberSeriesQuery,
  GetOverlapQuery,
  ListChangesQuery,
  ListContactStaysQuery,
  ListMembersQuery,
  ListSnapshotMembersQuery,
  ListSnapshotsQuery,
  type MemberCount,
  type MemberPage,
  type MemberSeries,
  type MembershipView,
  type OverlapAnswer,
  type Page,
  type SnapshotView,
} from '../read-models/stays/stays.queries';
import {
  askedOf,
  CountMembersDto,
  distinctIds,
  ListChangesDto,
  ListMembersDto,
  MemberSeriesDto,
  OverlapDto,
  TakeSnapshotDto,
} from './segment-stays.dto';

/** Whoever may see contacts may see what they are in. */
const VIEW = { roles: ['operator'], action: 'segment.view' } as const;

/** Who is in segments, and who was. */
@ApiTags('segments')
@Controller('segments')
export class SegmentStaysController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post('overlap')
  @HttpCode(200)
  @ApiOperation({
    summary: 'How many are in more than one of two to five segments',
    description: 'One region for every combination: members of exactly those.',
  })
  @Access(VIEW)
  overlap(@Body() body: OverlapDto, @MinPosition() minPosition?: bigint): Promise<OverlapAnswer> {
    return this.queries.execute(new GetOverlapQuery(distinctIds(body), minPosition));
  }

  @Get(':segmentId/members')
  @ApiOperation({
    summary: 'Who is in a segment, or was',
    description:
      'Of the past without rows of contacts; who has been erased since is `erased`. Contacts whose processing is restricted are left out.',
  })
  @Access(VIEW)
  members(
    @UuidParam('segmentId') segmentId: string,
    @Query() query: ListMembersDto,
    @CurrentActor() { role: reader }: Actor,
    @MinPosition() minPosition?: bigint,
  ): Promise<MemberPage> {
    return this.queries.execute(
      new ListMembersQuery(segmentId, askedOf(query, minPosition), query.axis, query, reader),
    );
  }

  @Get(':segmentId/count')
  @ApiOperation({
    summary: 'How many are in a segment, or were',
    description:
      'Exactly, restricted and erased ones included; of the past on the axis `occurred`, without erased ones.',
  })
  @Access(VIEW)
  count(
    @UuidParam('segmentId') segmentId: string,
    @Query() query: CountMembersDto,
    @MinPosition() minPosition?: bigint,
  ): Promise<MemberCount> {
    return this.queries.execute(new CountMembersQuery(segmentId, askedOf(query, minPosition), query.axis));
  }

  @Get(':segmentId/changes')
  @ApiOperation({
    summary: 'Who entered and left, oldest first',
    description:
      'From `from` on and before `to`, without the first fill and those who stay in under a new version of the rule. A page may be shorter than asked.',
  })
  @Access(VIEW)
  changes(
    @UuidParam('segmentId') segmentId: string,
    @Query() { from, to, ...paging }: ListChangesDto,
    @CurrentActor() { role: reader }: Actor,
    @MinPosition() minPosition?: bigint,
  ): Promise<Page<MemberChange>> {
    return this.queries.execute(new ListChangesQuery(segmentId, { from, to }, paging, reader, minPosition));
  }

  @Get(':segmentId/series')
  @ApiOperation({
    summary: 'How many were in, over time',
    description: 'Exactly, at `from`, `from + step`, … up to `to`, as far as that is not in the future.',
  })
  @Access(VIEW)
  series(
    @UuidParam('segmentId') segmentId: string,
    @Query() { from, to, step }: MemberSeriesDto,
    @MinPosition() minPosition?: bigint,
  ): Promise<MemberSeries> {
    return this.queries.execute(new GetMemberSeriesQuery(segmentId, from, to, step, minPosition));
  }

  @Post(':segmentId/snapshots')
  @ApiOperation({
    summary: 'Keep who is in a segment, or was, as a list',
    description: '503 while a definition that decides who is in is still being filled.',
  })
  @Access({ roles: ['operator'], action: 'segment.change', command: 'TakeSnapshot' })
  @Location('/v1/segments/:segmentId/snapshots/:snapshotId/members')
  takeSnapshot(
    @UuidParam('segmentId') segmentId: string,
    @Body() { name, asOf }: TakeSnapshotDto,
    @Context() context: CommandContext,
    @MinPosition() minPosition?: bigint,
  ): Promise<Outcome<SnapshotAnswer>> {
    const id = newEntityId(context, 'snapshot');
    return this.commands.execute(new TakeSnapshotCommand(segmentId, id, name, asOf, context, minPosition));
  }

  @Get(':segmentId/snapshots')
  @ApiOperation({ summary: 'List a segment’s snapshots, newest first' })
  @Access(VIEW)
  snapshots(
    @UuidParam('segmentId') segmentId: string,
    @Query() page: PageQueryDto,
    @MinPosition() minPosition?: bigint,
  ): Promise<Page<SnapshotView>> {
    return this.queries.execute(new ListSnapshotsQuery(segmentId, page, minPosition));
  }

  @Get(':segmentId/snapshots/:snapshotId/members')
  @ApiOperation({ summary: 'Who is in a snapshot' })
  @Access(VIEW)
  snapshotMembers(
    @UuidParam('segmentId') segmentId: string,
    @UuidParam('snapshotId') snapshotId: string,
    @Query() page: PageQueryDto,
    @CurrentActor() { role: reader }: Actor,
    @MinPosition() minPosition?: bigint,
  ): Promise<MemberPage> {
    return this.queries.execute(
      new ListSnapshotMembersQuery(segmentId, snapshotId, page, reader, minPosition),
    );
  }
}

/** What one contact is in and was in. */
@ApiTags('contacts')
@Controller('contacts/:contactId/segments')
export class ContactStaysController {
  constructor(private readonly queries: QueryBus) {}

  @Get()
  @ApiOperation({ summary: 'What segments a contact is in and was in, and why, newest first' })
  @Access({ roles: ['operator', 'auditor'], action: 'contact.view' })
  list(
    @UuidParam('contactId') contactId: string,
    @Query() page: PageQueryDto,
    @CurrentActor() { role: reader }: Actor,
    @MinPosition() minPosition?: bigint,
  ): Promise<Page<MembershipView>> {
    return this.queries.execute(new ListContactStaysQuery(contactId, page, reader, minPosition));
  }
}
