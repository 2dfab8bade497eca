import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { CursorCodec } from '@app/http';
import { RULE_TEMPLATES, type RuleTemplate } from '@app/rules';
import { SegmentReads } from './mongo.segment-reads';
import { SegmentNotShownError } from './segment-not-shown.error';
import {
  GetSegmentQuery,
  ListSegmentsQuery,
  ListSegmentTemplatesQuery,
  type SegmentAnswer,
  type SegmentPage,
} from './segments.queries';
import { SegmentsShown } from './segments-shown';

const BINDING = 'segments';

@QueryHandler(GetSegmentQuery)
export class GetSegmentHandler implements IQueryHandler<GetSegmentQuery> {
  constructor(
    private readonly segments: SegmentReads,
    private readonly shown: SegmentsShown,
  ) {}

  /** Throws SegmentNotShownError. */
  async execute({ segmentId, minPosition }: GetSegmentQuery): Promise<SegmentAnswer> {
    const { views } = await this.shown.of(async () => [await this.segments.find(segmentId)], minPosition);
    const [view] = views;
    if (view === undefined) throw new SegmentNotShownError();
    return view;
  }
}

@QueryHandler(ListSegmentsQuery)
export class ListSegmentsHandler implements IQueryHandler<ListSegmentsQuery> {
  constructor(
    private readonly segments: SegmentReads,
    private readonly shown: SegmentsShown,
    private readonly cursors: CursorCodec,
  ) {}

  /** Throws InvalidCursorError. */
  async execute({ limit, cursor, count, minPosition }: ListSegmentsQuery): Promise<SegmentPage> {
    const after = cursor === undefined ? null : this.cursors.decode(cursor, BINDING);
    let hasMore = false;
    const load = async () => {
      const found = await this.segments.page(
        after && { createdAt: String(after[0]), segmentId: String(after[1]) },
        // One more than asked tells whether there is a next page.
        limit + 1,
      );
      hasMore = found.length > limit;
      return found.slice(0, limit);
    };
    const { views, asOfPosition } = await this.shown.of(load, minPosition);
    const total = count ? await this.segments.count() : undefined;
    const last = views.at(-1);
    return {
      items: views,
      nextCursor: hasMore && last ? this.cursors.encode([last.createdAt, last.segmentId], BINDING) : null,
      ...(total === undefined ? {} : { total }),
      asOfPosition,
    };
  }
}

@QueryHandler(ListSegmentTemplatesQuery)
export class ListSegmentTemplatesHandler implements IQueryHandler<ListSegmentTemplatesQuery> {
  async execute(): Promise<Readonly<{ items: readonly RuleTemplate[] }>> {
    return { items: RULE_TEMPLATES };
  }
}
