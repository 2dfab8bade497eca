import { Access, CurrentActor, MinPosition, SseStreams, type HttpReply, type SseStream } from '@app/http';
import type { Actor } from '@app/kernel';
import { Controller, Get, Headers, Logger, Query, Res } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiHeader, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { ProcessingRestrictedError } from '../visibility';
import type { ActivityFilter } from '../read-models/activity/activity-filter';
import { ACTIVITY_ITEM_FIELDS, activityItem } from '../read-models/activity/activity-item';
import { ContactPresence } from '../read-models/contacts/contact-presence';
import { ActivityFeed, type FeedStart } from '../read-models/follow-activity/activity-feed';
import { ListActivityQuery, type ActivityPage } from '../read-models/list-activity/list-activity.query';
import { FollowActivityDto, ListActivityDto } from './activity.dto';

@ApiTags('activity')
@Controller('activity')
export class ActivityQueriesController {
  private readonly logger = new Logger(ActivityQueriesController.name);

  constructor(
    private readonly queries: QueryBus,
    private readonly feed: ActivityFeed,
    private readonly streams: SseStreams,
    private readonly contacts: ContactPresence,
  ) {}

  @Get()
  @ApiOperation({ summary: 'What happened, newest first' })
  @Access({ roles: ['operator'], action: 'activity.view' })
  list(
    @Query() query: ListActivityDto,
    @CurrentActor() { role }: Actor,
    @MinPosition() minPosition?: bigint,
  ): Promise<ActivityPage> {
    return this.queries.execute(new ListActivityQuery({ ...query, reader: role, minPosition }));
  }

  @Get('live')
  @ApiOperation({
    summary: 'What happens, as server-sent events',
    description:
      'Events `activity` carry an activity item; their id is its position, behind which the stream resumes. One event `reset` ' +
      'without id says that it could not, and that the stream goes on from `asOfPosition`. Without an id it starts now.',
  })
  @ApiProduces('text/event-stream')
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'The id of the last event seen.' })
  @Access({ roles: ['operator'], action: 'activity.view', shows: ACTIVITY_ITEM_FIELDS })
  async live(
    @Query() query: FollowActivityDto,
    @Headers('last-event-id') resumeBehind: string | undefined,
    @CurrentActor() { role }: Actor,
    @Res() reply: HttpReply,
  ): Promise<void> {
    const { lastEventId, ...filter } = query;
    await this.contacts.checkFeed(filter.contactId, role);
    // The header comes from the last event, the parameter from whoever wrote the address.
    const start = await this.feed.start(resumeBehind ?? lastEventId, filter);
    const stream = await this.streams.start(reply);
    void this.send(stream, start, filter, role)
      .catch((error: unknown) => this.logger.error(`A live feed broke off: ${(error as Error).name}.`))
      .finally(() => stream.close());
  }

  private async send(
    stream: SseStream,
    { after, reset }: FeedStart,
    filter: ActivityFilter,
    role: Actor['role'],
  ): Promise<void> {
    if (reset !== null) {
      await stream.send({ event: 'reset', data: { reason: reset, asOfPosition: after.toString() } });
    }
    for await (const entries of this.feed.follow(after, filter, stream.closed)) {
      // Processing may have been restricted since the feed was opened: then it ends, and cannot be opened again.
      if (!(await this.mayFollow(filter.contactId, role))) return;
      for (const entry of entries) {
        const id = entry.position.toString();
        // False: the client is gone, and resumes by itself.
        if (!(await stream.send({ id, event: 'activity', data: activityItem(entry) }))) return;
      }
    }
  }

  private async mayFollow(contactId: string | undefined, role: Actor['role']): Promise<boolean> {
    try {
      await this.contacts.checkFeed(contactId, role);
      return true;
    } catch (error) {
      if (error instanceof ProcessingRestrictedError) return false;
      throw error;
    }
  }
}
